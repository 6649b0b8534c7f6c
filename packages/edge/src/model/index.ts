/** What a node is to be: plain data, complete, with every default in its place. */
export * from './link.ts';
export * from './network.ts';
export * from './node.ts';
export * from './port.ts';
