/** The node's web page: its networks as they are, and their lines to play with. */
export { dashboardPage } from './dashboard-page.ts';
