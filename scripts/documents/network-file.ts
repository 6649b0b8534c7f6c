/** What follows from the shapes of a network file: its JSON schema, and the tables of keys in docs/network-file.md. */
import {
  nodeFileSchema,
  type JsonSchema,
  type JsonValue,
} from '../../packages/edge/src/file/index.ts';

/** The text of docs/network-file.schema.json. */
export function networkFileSchema(): string {
  return `${JSON.stringify(nodeFileSchema(), null, 2)}\n`;
}

/** Where in a file the maps are whose keys a table lists: `*` is any name. */
const MAPS: Readonly<Record<string, string>> = {
  file: '',
  network: 'networks.*',
  link: 'networks.*.link',
  machine: 'networks.*.machines.*',
  service: 'networks.*.machines.*.run',
  tap: 'networks.*.taps.*',
  qemu: 'networks.*.qemu.*',
  trunk: 'networks.*.machines.*.vlan',
  storm: 'networks.*.machines.*.storm',
  dhcp: 'networks.*.dhcp',
  dhcpv6: 'networks.*.dhcpv6',
  dns: 'networks.*.dns',
  reservation: 'networks.*.reservations',
  uplink: 'networks.*.uplink',
  switch: 'networks.*.switch',
  'spanning-tree': 'networks.*.switch.spanningTree',
  router: 'routers.*',
  'router-interface': 'routers.*.interfaces.*',
  nat: 'routers.*.nat',
};

/** The document with its tables as they should be: each stands between `<!-- keys NAME -->` and `<!-- end -->`. */
export function withKeyTables(markdown: string): string {
  return markdown.replaceAll(
    /(<!-- keys ([a-z0-9-]+) -->\n)[^]*?(<!-- end -->)/g,
    (_, before: string, name: string, after: string) => `${before}\n${keyTable(name)}\n${after}`,
  );
}

/** The names of all tables. */
export const keyTables: readonly string[] = Object.keys(MAPS);

function keyTable(name: string): string {
  const path = MAPS[name];
  if (path === undefined) throw new Error(`there is no table '${name}'`);
  const rows = Object.entries(propertiesAt(path.split('.').filter(Boolean))).map(
    ([key, schema]) => {
      const [about, otherwise] = String((schema as JsonSchema)['description']).split(/ Default: /);
      return `| \`${key}\` | ${about} | ${otherwise!.replace(/\.$/, '')} |\n`;
    },
  );
  return `| Key | What it is | Default |\n|---|---|---|\n${rows.join('')}`;
}

function propertiesAt(path: readonly string[]): Readonly<Record<string, JsonValue>> {
  let schema: JsonSchema = nodeFileSchema();
  for (const step of path) {
    const map = mapOf(schema);
    const next = step === '*' ? map['additionalProperties'] : asObject(map['properties'])[step];
    schema = asObject(next);
  }
  return asObject(mapOf(schema)['properties']);
}

/** The map among what may be written: itself, one of several forms, or an item of a list. */
function mapOf(schema: JsonSchema): JsonSchema {
  const map = findMap(schema);
  if (map === undefined) throw new Error(`there is no map in ${JSON.stringify(schema)}`);
  return map;
}

function findMap(schema: JsonSchema): JsonSchema | undefined {
  if ('properties' in schema || 'additionalProperties' in schema) return schema;
  const inside = [...asList(schema['anyOf']), ...('items' in schema ? [schema['items']!] : [])];
  for (const form of inside) {
    const found = findMap(asObject(form));
    if (found !== undefined) return found;
  }
  return undefined;
}

function asObject(value: JsonValue | undefined): JsonSchema {
  return value as JsonSchema;
}

function asList(value: JsonValue | undefined): readonly JsonValue[] {
  return (value ?? []) as readonly JsonValue[];
}
