import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress } from '../../core/index.ts';
import { Flow, type FlowEnds } from './flow.ts';

const ends: FlowEnds = {
  protocol: 'tcp',
  direction: 'outbound',
  guest: { address: IpAddress.parse('10.0.0.2'), port: 40_000 },
  destination: { address: IpAddress.parse('192.0.2.1'), port: 80 },
  labels: [],
};

test('a flow counts by its meter while it is carried, and keeps the last counts when it is over', () => {
  for (const direction of ['outbound', 'inbound'] as const) {
    const flow = new Flow(1, { ...ends, direction }, 5);
    const meter = { bytesFromFirst: 0, bytesFromSecond: 0 };
    flow.carried(meter);
    meter.bytesFromFirst = 30;
    meter.bytesFromSecond = 40;
    const counts = direction === 'outbound' ? [30, 40] : [40, 30];
    assert.deepEqual([flow.bytesSent, flow.bytesReceived], counts);
    flow.over('finished', 9);
    // What carried it is not asked any more: it may be gone.
    meter.bytesFromFirst = 1000;
    assert.deepEqual([flow.bytesSent, flow.bytesReceived], counts);
    assert.deepEqual([flow.state, flow.end, flow.endedAt], ['ended', 'finished', 9]);
  }
});

test('the bytes of datagrams are counted before and after the flow is over alike', () => {
  const flow = new Flow(1, { ...ends, protocol: 'udp' }, 0);
  flow.carried();
  flow.sent(10);
  flow.received(20);
  flow.over('idle', 1);
  assert.deepEqual(
    [flow.bytesSent, flow.bytesReceived, flow.packetsSent, flow.packetsReceived],
    [10, 20, 1, 1],
  );
});
