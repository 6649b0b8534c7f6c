/** The stations of a network, with every default in its place. */
import { resolve } from 'node:path';
import type { IpAddress } from 'netloom/core';
import type { AttachmentModel, MachineService, StationModel, TapModel } from '../../model/index.ts';
import type { LinkText, PortText } from '../form/line.ts';
import type { NetworkText } from '../form/network.ts';
import type { MachineText, QemuText, ServiceText, TapText } from '../form/station.ts';
import type { Path } from '../mistake.ts';
import type { ModuleFiles } from '../module-files.ts';
import type { Reading } from '../reading.ts';
import type { Keyed, Listed } from '../shape.ts';
import { completePort } from './line.ts';
import { known, type NetworkScope } from './scope.ts';

/** Stations of one network: its switch has 1,024 ports, and the gateway, routers and uplinks want some. */
const MOST_STATIONS = 1000;

/** What stations have to know of their network. */
export interface StationContext {
  readonly scope: NetworkScope;
  /** Of the network; by it their names are told in mistakes. */
  readonly network: string;
  readonly modules: ModuleFiles;
  readonly hasGateway: boolean;
}

/** All stations: machines, TAPs, QEMUs, each in the order of the file. */
export function completeStations(
  text: Partial<NetworkText>,
  context: StationContext,
): AttachmentModel[] {
  const attachments = [
    ...attach('machines', text.machines, machine, text.link, context),
    ...attach('taps', text.taps, tap, text.link, context),
    ...attach('qemu', text.qemu, qemu, text.link, context),
  ];
  if (attachments.length > MOST_STATIONS) {
    context.scope.mistake(
      [],
      `the network has ${attachments.length} stations`,
      `Make several networks of it: each has at most ${MOST_STATIONS}.`,
      'key',
    );
  }
  return attachments;
}

/** The stations under one key. */
function attach<T extends PortText>(
  key: string,
  stations: Keyed<Partial<T>> = new Map(),
  complete: (text: Partial<T>, path: Path, name: string, context: StationContext) => StationModel,
  commonLink: Partial<LinkText> | undefined,
  context: StationContext,
): AttachmentModel[] {
  return [...stations].map(([name, text = {}]) => {
    const path = [...context.scope.path, key, name];
    context.scope.takeName(name, path, 'a station');
    return {
      name,
      station: complete(text, path, name, context),
      port: completePort(text, commonLink),
    };
  });
}

function machine(
  { run = [], address = [], mac }: Partial<MachineText>,
  path: Path,
  name: string,
  { scope, modules, network }: StationContext,
): StationModel {
  if (mac !== undefined) {
    scope.machine.take('address', mac, [...path, 'mac'], `${name} of ${network}`, network);
  }
  return {
    kind: 'machine',
    services: completeServices(run, [...path, 'run'], scope, modules),
    addresses: takeAddresses(address, [...path, 'address'], name, scope),
    mac: mac ?? null,
  };
}

function takeAddresses(
  addresses: Listed<IpAddress>,
  path: Path,
  name: string,
  scope: NetworkScope,
): string[] {
  return known(addresses).map(([address, index]) => {
    const place = [...path, index];
    if (scope.subnetOf(address, place)) scope.takeAddress(address, place, name);
    return String(address);
  });
}

/** The ports of the services that are built in. */
const SERVICE_PORTS = { web: 80, echo: 7, sink: 9 } as const;

function completeServices(
  run: Listed<ServiceText>,
  path: Path,
  { reading }: NetworkScope,
  modules: ModuleFiles,
): MachineService[] {
  const taken = new Set<number>();
  return known(run).map(([service, index]) => {
    const place = [...path, index];
    const port =
      service.kind === 'module' ? (service.port ?? SERVICE_PORTS.web) : SERVICE_PORTS[service.kind];
    if (taken.has(port)) {
      const remedy =
        service.kind === 'module'
          ? 'Give it another, as {module: ./app.ts, port: 8080}.'
          : 'Leave one of the two out.';
      reading.mistake(place, `another service of the machine has TCP port ${port}`, remedy);
    }
    taken.add(port);
    if (service.kind !== 'module') return { kind: service.kind };
    return { kind: 'module', path: modulePath(service.module, place, reading, modules), port };
  });
}

/** Where the file of a module is: it has to be there, and is not run to find out. */
function modulePath(
  module: string | undefined,
  place: Path,
  reading: Reading,
  { folder, fault }: ModuleFiles,
): string {
  const key = [...place, 'module'];
  const isWritten = reading.isWritten(key);
  const path = resolve(folder, module ?? '');
  if (module === undefined) {
    if (!isWritten) {
      reading.mistake(place, 'the service names no module', 'Write it as {module: ./app.ts}.');
    }
    return path;
  }
  const why = fault(path);
  if (why !== undefined) {
    const remedy = 'Mend the path, which counts from the folder of this file, or the module.';
    reading.mistake(isWritten ? key : place, `cannot read the module ${path}: ${why}`, remedy);
  }
  return path;
}

/** Letters of an interface's name (Linux, IFNAMSIZ without the final zero). */
const LONGEST_INTERFACE = 15;

function tap(
  text: Partial<TapText>,
  path: Path,
  name: string,
  { scope, network, hasGateway }: StationContext,
): TapModel {
  const { interface: interfaceName = name, address = [] } = text;
  const namespace = text.namespace ?? null;
  if (interfaceName.length > LONGEST_INTERFACE) {
    scope.reading.mistake(
      path,
      `'${name}' is too long for the name of an interface`,
      `Give the TAP one of at most ${LONGEST_INTERFACE} letters, as interface: tap0.`,
      'key',
    );
  }
  scope.machine.take(
    'name, as interface: tap7',
    `the interface ${interfaceName}`,
    text.interface === undefined ? path : [...path, 'interface'],
    `${name} of ${network}`,
    namespace ?? '',
  );
  const addresses = known(address).map(([one, index]) => {
    const place = [...path, 'address', index];
    const cidr = scope.place(one, place);
    scope.takeAddress(cidr.address, place, name);
    return String(cidr);
  });
  if (text.defaultRoute === true && !hasGateway) {
    scope.reading.mistake(
      [...path, 'defaultRoute'],
      'there is no gateway that a default route could lead to',
      'Leave it out, or give the network a gateway.',
    );
  }
  return {
    kind: 'tap',
    interface: interfaceName,
    namespace,
    addresses,
    defaultRoute: text.defaultRoute ?? (namespace !== null && addresses.length > 0 && hasGateway),
  };
}

/** Ways to a QEMU: the keys that say each. */
const QEMU_WAYS = [['listen'], ['connect'], ['local', 'remote']] as const;

function qemu(
  { listen, connect, local, remote }: Partial<QemuText>,
  path: Path,
  name: string,
  context: StationContext,
): StationModel {
  checkWays(path, name, context.scope);
  const { machine: claims } = context.scope;
  const what = `${name} of ${context.network}`;
  if (listen !== undefined) {
    claims.listen('tcp', listen, [...path, 'listen'], what);
    return { kind: 'qemu-stream', listen };
  }
  if (connect !== undefined) return { kind: 'qemu-stream', connect };
  if (local !== undefined) claims.listen('udp', local, [...path, 'local'], what);
  return { kind: 'qemu-datagram', local: local ?? '', remote: remote ?? '' };
}

function checkWays(path: Path, name: string, { reading }: NetworkScope): void {
  const isWritten = (key: string): boolean => reading.isWritten([...path, key]);
  const ways = QEMU_WAYS.filter((keys) => keys.some(isWritten));
  if (ways.length !== 1) {
    const message = `${name} says ${ways.length === 0 ? 'not' : 'twice'} how QEMU is reached`;
    const remedy =
      'Write one of listen: 127.0.0.1:7001, connect: 127.0.0.1:7001, or local and remote.';
    reading.mistake(path, message, remedy, 'key');
    return;
  }
  const missing = ways[0]!.find((key) => !isWritten(key));
  if (missing === undefined) return;
  const remedy = 'Datagrams want both: local: 127.0.0.1:7002 and remote: 127.0.0.1:7003.';
  reading.mistake(path, `${name} has no ${missing}`, remedy, 'key');
}
