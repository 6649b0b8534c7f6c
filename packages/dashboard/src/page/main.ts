/** The page: looks at the node each second, and shows what it sees. */
import { PageCaptures } from './capture-box.ts';
import { byId, setText } from './dom.ts';
import { Histories } from './histories.ts';
import { ListsView } from './lists-view.ts';
import type { NodeView } from './node-api.ts';
import { Panel } from './panel.ts';
import { Picture, type Choice } from './picture.ts';
import { watchNode, type Contact } from './poller.ts';
import { topologyOf, type Topology } from './topology.ts';
import { formatBytes, formatDuration } from './units.ts';

const histories = new Histories();
const history = histories.line.bind(histories);
const networkHistory = histories.network.bind(histories);
const picture = new Picture(byId('picture'), { choose, history });
const panel = new Panel(byId('panel'), { captures: new PageCaptures(), history, networkHistory });
const lists = new ListsView(byId('tables'));

let latest: { readonly view: NodeView; readonly topology: Topology } | undefined;
let choice: Choice | undefined;

function choose(wanted: Choice): void {
  choice = wanted;
  show();
}

function show(): void {
  if (latest === undefined) return;
  const { view, topology } = latest;
  picture.show(topology, choice);
  panel.show({ view, topology }, choice);
  lists.show({ view, topology, history, choose });
}

function see(view: NodeView): void {
  histories.add(view);
  latest = { view, topology: topologyOf(view) };
  const [first] = view.status.networks;
  if (choice === undefined && first !== undefined) choice = { network: first.name, port: null };
  describeNode(view);
  show();
  byId('live').classList.remove('waiting');
}

function describeNode({ status }: NodeView): void {
  const { name, version, uptime, memory, file } = status;
  const facts = [
    `node ${name}`,
    `version ${version}`,
    `up for ${formatDuration(uptime)}`,
    `${formatBytes(memory)} of memory`,
    ...(file === null ? [] : [file]),
  ];
  setText(byId('node'), facts.join(' · '));
  document.title = `${name} – Netloom`;
}

function describeContact(contact: Contact): string {
  switch (contact.kind) {
    case 'live':
      return '● live';
    case 'away':
      return `✕ no answer since ${contact.since.toLocaleTimeString()}; still asking`;
    case 'stranger':
      return '✕ the node was started again: open the address that it printed';
  }
}

function showContact(contact: Contact): void {
  const element = byId('contact');
  setText(element, describeContact(contact));
  const isLive = contact.kind === 'live';
  element.className = isLive ? 'live' : 'away';
  byId('live').classList.toggle('away', !isLive);
}

await watchNode({ view: see, contact: showContact });
