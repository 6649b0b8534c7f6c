/** A cable between the Linux kernel, in a namespace of its own, and a host on our stack: a TAP, with whatever is put around it. */
import { IpAddress, type Host } from 'netloom/core';
import { SystemClock, stackHost, type StackHost } from 'netloom/host';
import type { Interface } from 'netloom/ip';
import type { Link } from 'netloom/link';
import { openTap } from 'netloom/link/tap';
import { KernelNamespace } from '../kernel-namespace.ts';

/** How a {@link KernelLan} is made. */
export interface KernelLanOptions {
  /** Whether checksums and segmentation are left to the other side. Default true. */
  readonly offload?: boolean;
  readonly mtu?: number;
  /** What is put between the TAP and our stack: impairment, a capture. Default: nothing. */
  readonly wrap?: (tap: Link, host: Host) => Link;
}

/** The addresses of both ends, of one family. */
export interface Ends {
  readonly family: 4 | 6;
  readonly kernel: IpAddress;
  readonly ours: IpAddress;
  /** Ours as a URL's host. */
  readonly oursInUrl: string;
  readonly kernelInUrl: string;
}

/** The name of the TAP in the namespace. */
export const TAP = 'tap0';

/** Both families. The IPv4 network is a large one, so that there are many stations to be pretended. */
export const FAMILIES: readonly Ends[] = [
  {
    family: 4,
    kernel: IpAddress.parse('10.80.0.1'),
    ours: IpAddress.parse('10.80.0.2'),
    kernelInUrl: '10.80.0.1',
    oursInUrl: '10.80.0.2',
  },
  {
    family: 6,
    kernel: IpAddress.parse('fd00:80::1'),
    ours: IpAddress.parse('fd00:80::2'),
    kernelInUrl: '[fd00:80::1]',
    oursInUrl: '[fd00:80::2]',
  },
];

/** The addresses of our end, with their networks. */
export const OUR_ADDRESSES: readonly string[] = ['10.80.0.2/16', 'fd00:80::2/64'];

/** The kernel and our stack, joined by a TAP; both are gone when it is disposed of. */
export class KernelLan implements AsyncDisposable {
  readonly namespace: KernelNamespace;
  readonly host: StackHost;
  readonly tap: Link;
  readonly interface: Interface;

  constructor(label: string, options: KernelLanOptions = {}) {
    this.namespace = new KernelNamespace(label);
    this.namespace.enableIpv6();
    this.host = stackHost({ clock: new SystemClock(), name: label });
    this.tap = this.openTap(options);
    const link = options.wrap?.(this.tap, this.host) ?? this.tap;
    this.interface = this.host.addInterface(link, { addresses: OUR_ADDRESSES });
  }

  /** Makes the TAP, with the kernel's addresses on it. */
  openTap({ offload = true, mtu = 1500 }: KernelLanOptions = {}): Link {
    const tap = openTap({ name: TAP, namespace: this.namespace.name, mtu, offload });
    this.namespace.ip('address', 'add', '10.80.0.1/16', 'dev', TAP);
    this.namespace.ip('address', 'add', 'fd00:80::1/64', 'dev', TAP, 'nodad');
    return tap;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host.close();
    this.namespace[Symbol.dispose]();
  }
}
