import type { FrameRecorder, Network } from '@netloom/edge';
import { WrappedLink, type Link } from 'netloom/link';
import type { CaptureFile } from '../capture-file.ts';

/** All frames of all networks in one file, with an interface for each network. */
export class NetworkCaptures {
  readonly #file: CaptureFile;

  constructor(file: CaptureFile) {
    this.#file = file;
  }

  /** Each frame of the network goes to the file once, from now until the network ends. */
  add(network: Network): void {
    const { sink } = this.#file;
    const { name } = network.model;
    let whole: Link | undefined;
    const recorder: FrameRecorder = {
      frame(link, direction, frame, offload, time) {
        whole ??= new NetworkLink(name, link);
        sink.frame(whole, direction, frame, offload, time);
      },
    };
    network.capture(recorder);
  }
}

/** Stands for all the ports of a network: a file has an interface for each link. */
class NetworkLink extends WrappedLink {
  readonly #name: string;

  constructor(name: string, one: Link) {
    super(one);
    this.#name = name;
  }

  override get name(): string {
    return this.#name;
  }
}
