import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  IpAddress,
  ManualClock,
  seededRandom,
  type Connection,
  type NetloomError,
} from '../../core/index.ts';
import { linkPair } from '../../link/index.ts';
import { IpStack } from '../index.ts';

test('connections end by name with the link they went through, and others go on', () => {
  const clock = new ManualClock();
  const random = seededRandom(1);
  const [near, far] = linkPair(clock, { strict: true });
  const ours = new IpStack({ clock, random });
  const theirs = new IpStack({ clock, random });
  const interfaces = {
    ours: ours.addInterface(near, { addresses: ['10.0.0.1/24'] }),
    theirs: theirs.addInterface(far, { addresses: ['10.0.0.2/24'] }),
  };
  ours.tcp.listen(80, undefined, undefined, () => undefined);
  theirs.tcp.listen(80, undefined, undefined, () => undefined);
  const ends = new Map<string, NetloomError | undefined>();
  const open = (name: string, to: string): void => {
    const path = ours.paths.find(IpAddress.parse(to), undefined);
    ours.tcp.connect(path, 0, 80, (connection: Connection) => {
      connection.start({ closed: (error) => ends.set(name, error) });
    });
  };
  open('remote', '10.0.0.2');
  open('local', '10.0.0.1');
  clock.advance(1000);
  assert.equal(ours.tcp.openConnections().length, 3, 'one remote, both ends of the local');
  void far.close();
  clock.advance(1001);
  assert.equal(interfaces.ours.isUp, false);
  assert.deepEqual([...ends.keys()], ['remote']);
  const error = ends.get('remote')!;
  assert.equal(error.code, 'NETWORK_UNREACHABLE');
  assert.equal((error.cause as NetloomError).code, 'LINK_PEER_CLOSED');
  assert.equal(ours.tcp.openConnections().length, 2, 'the local one goes on');
  assert.equal(interfaces.theirs.isUp, false);
  assert.equal(theirs.tcp.openConnections().length, 0);
});
