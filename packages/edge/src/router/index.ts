/** Machines between networks. */
export { Router, type RouterOptions } from './router.ts';
