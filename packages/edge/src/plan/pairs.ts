/** Those of both lists, by their keys: what was before and what is after. */
export function pairs<Thing>(
  before: readonly Thing[],
  after: readonly Thing[],
  keyOf: (thing: Thing) => string,
): [before: Thing | undefined, after: Thing | undefined][] {
  const old = new Map(before.map((thing) => [keyOf(thing), thing]));
  const made = new Map(after.map((thing) => [keyOf(thing), thing]));
  const keys = new Set([...made.keys(), ...old.keys()]);
  return [...keys].map((key) => [old.get(key), made.get(key)]);
}
