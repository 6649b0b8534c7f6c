/**
 * Loaded before each test file: property tests draw the same cases on every run, so that a failure is never a matter of
 * luck. NETLOOM_TEST_SEED=N draws others.
 */
import { configureGlobal } from 'fast-check';

configureGlobal({ seed: Number(process.env['NETLOOM_TEST_SEED'] ?? 1) });
