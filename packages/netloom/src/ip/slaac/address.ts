import {
  IpAddress,
  NOT_QUEUED,
  StateMachine,
  channel,
  type Channel,
  type Cidr,
  type Transition,
  type Transitions,
} from '../../core/index.ts';
import type { InterfaceIdentifier } from './identifier.ts';
import type { SlaacTimer } from './timer.ts';

/** The life of an autoconfigured address (RFC 4862, section 5.5.4). */
export type AutoAddressState =
  /** Whether it is free is being found out. */
  | 'tentative'
  | 'preferred'
  /** Good for connections that have it, not for new ones. */
  | 'deprecated'
  /** Another node has it. */
  | 'duplicate'
  /** Its valid lifetime is over. */
  | 'invalid';

/** What happens to an autoconfigured address. */
export type AutoAddressEvent =
  | 'unique'
  | 'duplicate'
  /** The preferred lifetime is over. */
  | 'deprecate'
  /** A router gave it another preferred lifetime. */
  | 'prefer'
  | 'expire';

/** RFC 4862, sections 5.4 and 5.5.4. */
export const AUTO_ADDRESS_TRANSITIONS: Transitions<AutoAddressState, AutoAddressEvent> = {
  tentative: { unique: 'preferred', duplicate: 'duplicate', expire: 'invalid' },
  preferred: { deprecate: 'deprecated', expire: 'invalid' },
  deprecated: { prefer: 'preferred', expire: 'invalid' },
  duplicate: { expire: 'invalid' },
  invalid: {},
};

/** Where an address comes from: `stable` and `temporary` ones from a router's prefix (RFC 7217, RFC 8981). */
export type AutoAddressKind = 'link-local' | 'stable' | 'temporary';

/** An autoconfigured address, as its user sees it. The times move with routers' messages. */
export interface AutoAddress {
  readonly address: IpAddress;
  /** What it was made from; that says nothing of what is on the link (RFC 5942, section 4). */
  readonly prefix: Cidr;
  readonly kind: AutoAddressKind;
  readonly state: AutoAddressState;
  readonly preferredUntil: number;
  readonly validUntil: number;
}

/** What an address is to be made for. */
export interface AddressPlan {
  readonly kind: AutoAddressKind;
  readonly prefix: Cidr;
  /** How many identifiers were tried before for the same purpose. */
  readonly attempt: number;
  readonly preferredUntil: number;
  readonly validUntil: number;
  /** A temporary address is never good for longer than this, whatever routers say (RFC 8981, section 3.4, step 1). */
  readonly preferredLimit: number;
  readonly validLimit: number;
}

/** A step in the life of an address. */
export interface AutoAddressStep {
  readonly address: IpAddress;
  readonly kind: AutoAddressKind;
  readonly step: Transition<AutoAddressState, AutoAddressEvent>;
}

/** The steps of all autoconfigured addresses. */
export const AUTO_ADDRESS_STEPS: Channel<AutoAddressStep> = channel('netloom:slaac:address');

/** An address with what autoconfiguration needs to know of it. */
export class ConfiguredAddress implements AutoAddress, AddressPlan, SlaacTimer {
  deadline: number = NOT_QUEUED.deadline;
  position: number = NOT_QUEUED.position;
  order: number = NOT_QUEUED.order;
  readonly address: IpAddress;
  readonly prefix: Cidr;
  readonly kind: AutoAddressKind;
  readonly attempt: number;
  preferredUntil: number;
  validUntil: number;
  readonly preferredLimit: number;
  readonly validLimit: number;
  /** Another temporary address has been made to take its place. */
  hasSuccessor = false;
  readonly #machine: StateMachine<AutoAddressState, AutoAddressEvent> = new StateMachine(
    'slaac-address',
    AUTO_ADDRESS_TRANSITIONS,
    'tentative',
  );
  readonly #due: (address: ConfiguredAddress, now: number) => void;

  constructor(
    plan: AddressPlan,
    identifier: InterfaceIdentifier,
    due: (address: ConfiguredAddress, now: number) => void,
  ) {
    this.kind = plan.kind;
    this.prefix = plan.prefix;
    this.attempt = plan.attempt;
    this.preferredUntil = plan.preferredUntil;
    this.validUntil = plan.validUntil;
    this.preferredLimit = plan.preferredLimit;
    this.validLimit = plan.validLimit;
    const { word0, word1 } = plan.prefix.address;
    this.address = IpAddress.v6(word0, word1, identifier.word2, identifier.word3);
    this.#due = due;
  }

  get state(): AutoAddressState {
    return this.#machine.state;
  }

  /** It is assigned to the interface. */
  get isAssigned(): boolean {
    return this.state === 'preferred' || this.state === 'deprecated';
  }

  take(event: AutoAddressEvent, now: number): void {
    const from = this.state;
    const to = this.#machine.take(event, now);
    if (!AUTO_ADDRESS_STEPS.hasSubscribers) return;
    const { address, kind } = this;
    AUTO_ADDRESS_STEPS.publish({ address, kind, step: { from, event, to, at: now } });
  }

  elapsed(now: number): void {
    this.#due(this, now);
  }
}
