import { compileFilter } from 'netloom/wire';
import { readNodeFile, type NodeFileResult } from '../file/index.ts';
import { moduleFileFault } from '../machine/index.ts';
import { ANSWER_FIELDS, jsonAnswer } from './answer.ts';
import { readObject } from './body.ts';
import type { Captures } from './captures.ts';
import type { ControlledNetwork, ControlledNode } from './controlled-node.ts';
import { requestInvalid } from './errors.ts';
import type { ControlLimits } from './limits.ts';
import { readLinkChange } from './link-change.ts';
import type { Route, RouteRequest } from './router.ts';

/** What answers are made of. */
export interface ControlContext {
  readonly node: ControlledNode;
  readonly limits: ControlLimits;
  readonly captures: Captures;
}

type ControlRoute = Route<ControlContext>;

/** Everything the control API has. */
export const CONTROL_ROUTES: readonly ControlRoute[] = [
  get('/v1/status', [], (_, { node }) => node.status()),
  get('/v1/model', [], (_, { node }) => node.model),
  get('/v1/networks', ['network'], (asked, { node }) => {
    const name = networkAsked(asked, node);
    return node.status().networks.filter((network) => name === null || network.name === name);
  }),
  get(
    '/v1/interfaces',
    ['network'],
    ofNetworks((network) => network.ports()),
  ),
  get(
    '/v1/leases',
    ['network'],
    ofNetworks((network) => network.leases()),
  ),
  get(
    '/v1/flows',
    ['network'],
    ofNetworks((network) => network.flows()),
  ),
  get('/v1/networks/:network/capture', ['port', 'filter'], capture),
  post('/v1/plan', async (asked, context) => {
    const reading = await readWanted(asked, context);
    if (reading.mistakes !== undefined) return refused(reading.mistakes);
    return { plan: context.node.plan(reading.model) };
  }),
  post('/v1/apply', async (asked, context) => {
    const reading = await readWanted(asked, context);
    if (reading.mistakes !== undefined) return refused(reading.mistakes);
    const { model, file } = reading;
    return context.node.apply(model, file === undefined ? {} : { file });
  }),
  post('/v1/networks/:network/suspend', async ({ parameters }, { node }) => {
    await node.network(parameters['network']!).suspend();
    return {};
  }),
  post('/v1/networks/:network/resume', async ({ parameters }, { node }) => {
    await node.network(parameters['network']!).resume();
    return {};
  }),
  {
    method: 'PATCH',
    path: '/v1/networks/:network/ports/:port/link',
    query: [],
    answer: changeLink,
  },
];

function get(path: string, query: readonly string[], answer: ControlRoute['answer']): ControlRoute {
  return { method: 'GET', path, query, answer };
}

function post(path: string, answer: ControlRoute['answer']): ControlRoute {
  return { method: 'POST', path, query: [], answer };
}

/** Lists what the network that was asked for has, or what all have. */
function ofNetworks(list: (network: ControlledNetwork) => readonly unknown[]) {
  return (asked: RouteRequest, { node }: ControlContext): readonly unknown[] => {
    const name = networkAsked(asked, node);
    const networks = name === null ? node.networks : [node.network(name)];
    return networks.flatMap(list);
  };
}

/** The network that the query names, which is there; null: it names none. */
function networkAsked({ query }: RouteRequest, node: ControlledNode): string | null {
  const name = query.get('network');
  if (name !== null) node.network(name);
  return name;
}

async function changeLink(
  { parameters, request }: RouteRequest,
  { node, limits }: ControlContext,
): Promise<unknown> {
  const network = node.network(parameters['network']!);
  const port = parameters['port']!;
  const change = readLinkChange(await readObject(request, limits.bodyBytes));
  network.impair(port, change);
  return network.ports().find(({ name }) => name === port)?.link ?? {};
}

function capture(
  { parameters, query }: RouteRequest,
  { node, captures }: ControlContext,
): Response {
  const network = node.network(parameters['network']!);
  const port = query.get('port');
  const filter = query.get('filter');
  const body = captures.open(network, {
    ...(port === null ? {} : { port }),
    ...(filter === null ? {} : { filter: compileFilter(filter) }),
  });
  return new Response(body, {
    headers: { ...ANSWER_FIELDS, 'content-type': 'application/x-pcapng' },
  });
}

/** What the node is to be: the file that the body carries, as the node reads it; without one, what it was to be before. */
async function readWanted(
  { request }: RouteRequest,
  { limits, node }: ControlContext,
): Promise<NodeFileResult & { readonly file?: string }> {
  const body = await readObject(request, limits.bodyBytes);
  if (Object.keys(body).length === 0) return { model: node.wanted };
  const { file, text, ...others } = body;
  if (typeof file !== 'string') throw requestInvalid("'file' wants the file's name");
  if (typeof text !== 'string') throw requestInvalid("'text' wants what is in the file");
  const [other] = Object.keys(others);
  if (other !== undefined) throw requestInvalid(`a file has no '${other}'`);
  return { ...readNodeFile(text, { path: file, moduleFault: moduleFileFault }), file };
}

/** The file cannot be followed: its mistakes. */
function refused(mistakes: unknown): Response {
  return jsonAnswer({ mistakes }, 422);
}
