/** The tests every Host passes, for `node:test`. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkAfterwards } from './afterwards.ts';
import { checkBackPressure } from './back-pressure.ts';
import { checkBasics } from './basics.ts';
import { checkClosing } from './closing.ts';
import type {
  Check,
  CompliancePart,
  HostComplianceOptions,
  HostPair,
  Settings,
} from './contract.ts';
import { checkDatagrams } from './datagrams.ts';
import { checkHandlers } from './handlers.ts';
import { checkOpening } from './opening.ts';
import { checkPaused } from './pausing.ts';
import { checkResets } from './resets.ts';
import { Scene } from './scene.ts';
import { checkStreams } from './streams.ts';

export type { CompliancePart, HostComplianceOptions, HostPair } from './contract.ts';

/** Real milliseconds after which a test counts as hung; a bound, not a measure. */
const HUNG = 120_000;

/** What registers the checks of each part, in the order in which they are run. */
const PARTS: {
  readonly [Part in CompliancePart]: (check: Check, settings: Settings) => void;
} = {
  basics: checkBasics,
  opening: checkOpening,
  streams: checkStreams,
  closing: checkClosing,
  resets: checkResets,
  handlers: checkHandlers,
  pausing: checkPaused,
  'back-pressure': checkBackPressure,
  datagrams: checkDatagrams,
  afterwards: checkAfterwards,
};

/**
 * Registers the tests of the contract in `core/host.ts` for the hosts that `makePair` makes. Each test has a pair of its
 * own, and looks at nothing but the contract: time is taken from the hosts' clock, and all waiting is for a call of theirs.
 */
export function hostCompliance(
  makePair: () => Promise<HostPair>,
  options: HostComplianceOptions,
): void {
  const settings: Settings = {
    transferSize: 64 * 1024 * 1024,
    stallSize: 64 * 1024 * 1024,
    connections: 1_000,
    quiet: 250,
    ...options,
  };
  const check: Check = (name, body, skip) => {
    test(name, { timeout: HUNG, skip: skip ?? false }, async (context) => {
      const pair = await makePair();
      const drive = pair.drive?.bind(pair) ?? (<T>(work: Promise<T>): Promise<T> => work);
      const scene = new Scene(pair, settings);
      try {
        await drive(body(scene, context));
      } finally {
        await drive(pair.close());
      }
      assert.deepEqual(scene.violations, []);
    });
  };
  describe(`host: ${settings.name}`, () => {
    for (const [part, register] of Object.entries(PARTS)) {
      if (settings.parts?.includes(part as CompliancePart) ?? true) register(check, settings);
    }
  });
}
