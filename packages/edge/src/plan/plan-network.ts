/** The steps of networks, and of what is in them. */
import type {
  AttachmentModel,
  GatewayModel,
  NetworkModel,
  PublicationModel,
} from '../model/index.ts';
import { withoutPrefixLength } from '../text/index.ts';
import { differences, isSame } from './differences.ts';
import { reasonToReplace } from './in-place.ts';
import { pairs } from './pairs.ts';
import type { PlanOptions, PlanStep } from './plan.ts';
import { publicationName } from './publication-name.ts';

/** Why a station has to go that has not chosen its address. */
const MUST_MOVE = 'the address it was given is to be that of another';

/** Plans a network, and answers whether one of that name is there before and after, but not the same one. */
export function planNetwork(
  steps: PlanStep[],
  before: NetworkModel | undefined,
  after: NetworkModel | undefined,
  options: PlanOptions,
): boolean {
  if (after === undefined) {
    const { name } = before!;
    const note = contents(before!);
    steps.push({
      action: 'remove',
      object: 'network',
      name,
      changes: [],
      ...(note !== '' && { note }),
    });
    return false;
  }
  if (before === undefined) {
    createNetwork(steps, after, undefined);
    return false;
  }
  const { name } = after;
  const changes = differences(ofNetworkItself(before), ofNetworkItself(after));
  const failure = options.failed?.get(name);
  const reason = failure === undefined ? reasonToReplace('network', changes) : failure;
  if (reason === undefined) {
    planContents(steps, before, after, options);
    return false;
  }
  const cut = contents(before, after);
  const note = cut === '' ? reason : `${reason}; ${cut}`;
  steps.push({ action: 'replace', object: 'network', name, changes, note });
  createNetwork(steps, after, before);
  return true;
}

/** With `before`, it is made again. */
function createNetwork(
  steps: PlanStep[],
  network: NetworkModel,
  before: NetworkModel | undefined,
): void {
  const { name, gateway, attachments, publications } = network;
  const changes = differences(undefined, { ...ofNetworkItself(network), gateway });
  steps.push({
    action: 'create',
    object: 'network',
    name,
    changes,
    ...markedAgain(before !== undefined),
  });
  for (const attachment of attachments.toSorted(byChoice)) {
    const old = before?.attachments.find((one) => one.name === attachment.name);
    steps.push({ ...attach(name, attachment), ...markedAgain(isSame(old, attachment)) });
  }
  for (const publication of publications) {
    const wasThere = before?.publications.some((one) => isSame(one, publication)) ?? false;
    steps.push({ ...publish(name, publication), ...markedAgain(wasThere) });
  }
}

/** Of a network that stays. */
function planContents(
  steps: PlanStep[],
  before: NetworkModel,
  after: NetworkModel,
  { given = () => [], lost = () => undefined }: PlanOptions,
): void {
  const { name } = after;
  const claimed = new Set(after.attachments.flatMap(chosenAddresses));
  const gatewayStep = planGateway(name, before.gateway, after.gateway);
  if (gatewayStep !== undefined) steps.push(gatewayStep);
  const gatewayIsOther = gatewayStep !== undefined && gatewayStep.action !== 'change';
  const moved = new Set<string>();
  const wanted = after.attachments.toSorted(byChoice);
  for (const [old, made] of pairs(before.attachments, wanted, (one) => one.name)) {
    const isInTheWay = (one: AttachmentModel): boolean =>
      chosenAddresses(one).length === 0 &&
      given(name, one.name).some((address) => claimed.has(address));
    const because = made && (lost(name, made.name) ?? (isInTheWay(made) ? MUST_MOVE : undefined));
    const found = planAttachment(name, old, made, because);
    steps.push(...found);
    if (found.some(({ object }) => object === 'attachment')) moved.add((made ?? old)!.name);
  }
  for (const [old, made] of pairs(before.publications, after.publications, publicationName)) {
    // It leads to where its station was, by way of the gateway that was.
    const goes = made === undefined || gatewayIsOther || moved.has(made.station);
    const again = old !== undefined && made !== undefined ? { again: true as const } : {};
    if (old !== undefined && goes) steps.push({ ...unpublish(name, old), ...again });
    if (made !== undefined && (goes || old === undefined)) {
      steps.push({ ...publish(name, made), ...again });
    }
  }
}

function planGateway(
  network: string,
  before: GatewayModel | null,
  after: GatewayModel | null,
): PlanStep | undefined {
  const step = { object: 'gateway', network, name: network } as const;
  const changes = differences(before ?? undefined, after ?? undefined);
  if (changes.length === 0) return undefined;
  if (after === null) return { action: 'remove', ...step, changes: [] };
  if (before === null) return { action: 'create', ...step, changes };
  const reason = reasonToReplace('gateway', changes);
  if (reason === undefined) return { action: 'change', ...step, changes };
  const note = `${reason}; connections by way of it are cut`;
  return { action: 'replace', ...step, changes, note };
}

/** @param because why it is replaced even if it is to be the same */
function planAttachment(
  network: string,
  before: AttachmentModel | undefined,
  after: AttachmentModel | undefined,
  because: string | undefined,
): PlanStep[] {
  const { name } = (after ?? before)!;
  if (after === undefined) {
    return [{ action: 'remove', object: 'attachment', network, name, changes: [] }];
  }
  if (before === undefined) return [attach(network, after)];
  const changes = differences(before, after);
  const reason = reasonToReplace('attachment', changes) ?? because;
  if (reason !== undefined) {
    return [
      { action: 'replace', object: 'attachment', network, name, changes, note: reason },
      { ...attach(network, after), again: true },
    ];
  }
  if (changes.length === 0) return [];
  const ofPort = changes.map((change) => ({ ...change, path: change.path.replace(/^port\./, '') }));
  return [{ action: 'change', object: 'port', network, name, changes: ofPort }];
}

/** First those that say which addresses they have: no other is to be given one of them. */
function byChoice(one: AttachmentModel, other: AttachmentModel): number {
  return rankOf(one) - rankOf(other);
}

function rankOf(attachment: AttachmentModel): number {
  return chosenAddresses(attachment).length > 0 ? 0 : 1;
}

/** Without the lengths of their prefixes. */
function chosenAddresses({ station }: AttachmentModel): string[] {
  const addresses = 'addresses' in station ? station.addresses : [];
  return addresses.map(withoutPrefixLength);
}

function attach(network: string, attachment: AttachmentModel): PlanStep {
  const { name, ...rest } = attachment;
  const changes = differences(undefined, rest);
  return { action: 'create', object: 'attachment', network, name, changes };
}

function publish(network: string, publication: PublicationModel): PlanStep {
  const name = publicationName(publication);
  return { action: 'create', object: 'publication', network, name, changes: [] };
}

function unpublish(network: string, publication: PublicationModel): PlanStep {
  const name = publicationName(publication);
  return { action: 'remove', object: 'publication', network, name, changes: [] };
}

/** All but what is in it. */
function ofNetworkItself(network: NetworkModel): Partial<NetworkModel> {
  const { name: _n, gateway: _g, attachments: _a, publications: _p, ...itself } = network;
  return itself;
}

/** Whom it takes along, and who of them does not come again. */
function contents(before: NetworkModel, after?: NetworkModel): string {
  const cut = namesIn(before);
  if (cut.length === 0) return '';
  const again = new Set(after === undefined ? cut : namesIn(after));
  const gone = cut.filter((name) => !again.has(name));
  const rest = gone.length === 0 ? '' : `, and makes no ${gone.join(', ')} again`;
  return `it cuts ${cut.join(', ')}${rest}`;
}

function namesIn({ attachments, publications }: NetworkModel): string[] {
  return [...attachments.map(({ name }) => name), ...publications.map(publicationName)];
}

function markedAgain(isAgain: boolean): { again?: true } {
  return isAgain ? { again: true } : {};
}
