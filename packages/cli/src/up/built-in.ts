import { readNodeFile, type NodeModel } from '@netloom/edge';
import { NetloomError, type HostErrorCode } from 'netloom/core';

/** Nothing but what its page tells of: no leases, no advertisements, no way out. */
const BUILT_IN = `
networks:
  lan:
    subnets: 10.0.0.0/24
    dhcp: false
    machines:
      web: { run: web, address: 10.0.0.80, mac: 02:00:00:00:00:50 }
    publish: 127.0.0.1:PORT:web:80
`;

/** What `netloom up` starts without a file: a LAN with a machine whose page is published at a port of 127.0.0.1. */
export function builtInModel(port: number): NodeModel {
  const text = BUILT_IN.replace('PORT', String(port));
  const { model } = readNodeFile(text, { path: 'the built-in network' });
  return model!;
}

/** An error of the built-in network as its user, who has no file, is to read it. */
export function builtInError(error: unknown, port: number): unknown {
  const taken: HostErrorCode = 'ADDRESS_IN_USE';
  if (!(error instanceof NetloomError) || error.code !== taken) return error;
  return new NetloomError(taken, `port ${port} of this machine is taken`, {
    cause: error,
    remedy: 'Stop what has it, or choose another: netloom up --port 0 takes any that is free.',
  });
}
