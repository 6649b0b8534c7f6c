import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  attachment,
  gateway,
  isolated,
  machine,
  NOTHING,
  port,
  router,
} from '../../test/sample-models.ts';
import type { NodeModel } from '../model/index.ts';
import { describePlan, describeReport } from './describe.ts';
import { planChanges } from './plan-changes.ts';

const lan = isolated('lan', {
  gateway: gateway(['10.0.0.1/24'], { uplink: { hostAccess: false, rules: [] } }),
  attachments: [
    attachment('web', machine({ addresses: ['10.0.0.80'], services: [{ kind: 'web' }] })),
    attachment('db', machine({ addresses: ['10.0.0.81'] }), port({ link: { rate: 1e7 } })),
  ],
  publications: [{ protocol: 'tcp', listen: '127.0.0.1:8080', station: 'web', port: 80 }],
});
const before: NodeModel = { networks: [lan, isolated('old')], routers: [] };

function plan(to: NodeModel, from: NodeModel = before): string {
  return describePlan(planChanges(from, to));
}

test('a plan of nothing says so in one line', () => {
  assert.equal(plan(before), 'Nothing to do: all is as it is to be.\n');
});

test('what is made is told with what it is', () => {
  const translation = {
    outside: 'old',
    inside: ['lan'],
    mapping: 'endpoint-independent',
    filtering: 'address-dependent',
    hairpinning: true,
  } as const;
  const edge = router(
    'edge',
    { lan: ['10.0.0.254/24'], old: ['10.1.0.1/24'] },
    { routes: { '0.0.0.0/0': '10.1.0.9' }, translation },
  );
  assert.equal(
    plan({ ...before, routers: [edge] }, NOTHING),
    `+   network lan: isolated, addresses 10.0.0.1/24
+   network old: isolated
+   attachment lan/web: machine, services web, addresses 10.0.0.80
+   attachment lan/db: machine, addresses 10.0.0.81, link.rate 10mbit
+   router edge: lan 10.0.0.254/24, old 10.1.0.1/24, route 0.0.0.0/0 10.1.0.9, translation outside old inside lan mapping endpoint-independent filtering address-dependent hairpinning yes
+   publication tcp 127.0.0.1:8080 -> web:80 in lan

6 to create.
`,
  );
});

test('each thing that is different has a line, and below it each of its changes', () => {
  const [web, db] = lan.attachments;
  const changed: NodeModel = {
    networks: [
      {
        ...lan,
        gateway: {
          ...lan.gateway!,
          uplink: { hostAccess: false, rules: [{ verdict: 'deny', subject: '10.0.0.0/8' }] },
        },
        attachments: [
          { ...web!, station: machine({ addresses: ['10.0.0.90'], services: [{ kind: 'web' }] }) },
          {
            ...db!,
            port: port({ vlan: { mode: 'access', vlan: 20 }, link: { rate: 2e7, delay: 80 } }),
          },
        ],
      },
    ],
    routers: [],
  };
  assert.equal(
    plan(changed),
    `-/+ attachment lan/web (it is another station)
      station.addresses: 10.0.0.80 -> 10.0.0.90
-   network old
~   gateway of lan
      uplink.rules: + deny 10.0.0.0/8
~   port lan/db
      vlan.vlan: 1 -> 20
      link.rate: 10mbit -> 20mbit
      link.delay: + 80ms

2 to change, 1 to replace, 1 to remove.
`,
  );
});

test('a network that is replaced tells whom that cuts', () => {
  const changed: NodeModel = { networks: [{ ...lan, mtu: 9000 }], routers: [] };
  assert.equal(
    plan(changed, { ...before, networks: [lan] }),
    `-/+ network lan (every station has learned how large its frames may be; it cuts web, db, tcp 127.0.0.1:8080 -> web:80)
      mtu: 1500 -> 9000

1 to replace.
`,
  );
});

test('who does not come again with a network that is replaced is told too', () => {
  const changed = { ...lan, mtu: 9000, attachments: [lan.attachments[0]!] };
  assert.match(
    plan({ networks: [changed], routers: [] }, { ...before, networks: [lan] }),
    /it cuts web, db, tcp 127\.0\.0\.1:8080 -> web:80, and makes no db again\)/,
  );
});

test('a report tells what is done, or what is not', () => {
  const to: NodeModel = { networks: [lan], routers: [] };
  const made = planChanges(NOTHING, to);
  const { steps } = made;
  const all = { plan: made, done: steps, failed: null, left: [] };
  assert.equal(describeReport(all), 'Done: 4 changes.\n');
  const error = { code: 'ADDRESS_IN_USE', message: 'port 8080 is taken', remedy: null };
  const ended = {
    plan: made,
    done: steps.slice(0, 2),
    failed: { step: steps[2]!, error },
    left: steps.slice(3),
  };
  assert.equal(
    describeReport(ended),
    `2 steps are done and stay. Not done:
+   attachment lan/db
+   publication tcp 127.0.0.1:8080 -> web:80 in lan
`,
  );
});

test('ways to networks behind a router come in place: nothing else is cut', () => {
  const routed = { ...lan, gateway: { ...lan.gateway!, routes: { '10.1.0.0/24': '10.0.0.254' } } };
  assert.equal(
    plan({ ...before, networks: [routed, isolated('old')] }),
    `~   gateway of lan
      routes.10.1.0.0/24: + 10.0.0.254

1 to change.
`,
  );
});

/** What a node says that has lost one of its stations. */
function lost(network: string, station: string): string | undefined {
  return network === 'lan' && station === 'db' ? 'its interface is gone' : undefined;
}

test('a station that works no more is made anew, though it is to be the same', () => {
  assert.equal(
    describePlan(planChanges(before, before, { lost })),
    `-/+ attachment lan/db (its interface is gone)

1 to replace.
`,
  );
});
