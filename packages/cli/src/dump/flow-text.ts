import type { FlowDirection } from 'netloom/ip';

const MARKS: Readonly<Record<FlowDirection, string>> = { forward: '> ', backward: '< ' };

/** What is shown as it is: everything but what a terminal would obey, and what is no character. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}\u{fffd}]/gu;

/** One direction's bytes, decoded as they come. */
class Side {
  readonly #decoder = new TextDecoder();
  /** The last character was a carriage return: of a line's end if a line feed follows. */
  #hasReturn = false;

  decode(bytes: Uint8Array, isWhole: boolean): string {
    const text = (this.#hasReturn ? '\r' : '') + this.#decoder.decode(bytes, { stream: !isWhole });
    this.#hasReturn = !isWhole && text.endsWith('\r');
    return this.#hasReturn ? text.slice(0, -1) : text;
  }

  /** What was held back for what might have come. */
  flush(): string {
    const text = (this.#hasReturn ? '\r' : '') + this.#decoder.decode();
    this.#hasReturn = false;
    return text;
  }
}

/**
 * The bytes of a flow as text, each line marked with its direction. UTF-8 is shown as it is; what is not printable is a full stop, so that
 * nothing that was captured can tell the terminal anything, or pass for a mark.
 */
export class FlowText {
  readonly #sides: Readonly<Record<FlowDirection, Side>> = {
    forward: new Side(),
    backward: new Side(),
  };
  /** Whose line is not ended yet. */
  #open: FlowDirection | undefined;

  /** Text for the next bytes of a direction; a datagram is whole, and has lines of its own. */
  data(direction: FlowDirection, bytes: Uint8Array, isDatagram: boolean): string {
    const text = this.#put(direction, this.#sides[direction].decode(bytes, isDatagram));
    return isDatagram ? text + this.#endLine() : text;
  }

  /** Text for bytes that are missing. */
  gap(direction: FlowDirection, length: number): string {
    const rest = this.#put(direction, this.#sides[direction].flush());
    return `${rest}${this.#endLine()}[${MARKS[direction]}${length} bytes are missing here]\n`;
  }

  /** What was held back, and the end of the line. */
  end(): string {
    const forward = this.#put('forward', this.#sides.forward.flush());
    return forward + this.#put('backward', this.#sides.backward.flush()) + this.#endLine();
  }

  #put(direction: FlowDirection, text: string): string {
    if (text === '') return '';
    let output = this.#open === undefined || this.#open === direction ? '' : this.#endLine();
    const lines = text.replaceAll('\r\n', '\n').split('\n');
    for (const [index, line] of lines.entries()) {
      const isLast = index === lines.length - 1;
      if (isLast && line === '') break;
      if (this.#open === undefined) output += MARKS[direction];
      output += printable(line);
      this.#open = direction;
      if (!isLast) output += this.#endLine();
    }
    return output;
  }

  #endLine(): string {
    if (this.#open === undefined) return '';
    this.#open = undefined;
    return '\n';
  }
}

function printable(line: string): string {
  return line.replaceAll(UNPRINTABLE, (character) => (character === '\t' ? character : '.'));
}
