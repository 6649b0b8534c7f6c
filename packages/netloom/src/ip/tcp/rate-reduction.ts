/**
 * Proportional rate reduction (RFC 6937; sections are its): during a recovery as much goes out as has arrived, or the less of it that brings
 * what is in flight down to the new window by the end.
 */
export class RateReduction {
  /** Bytes that may go out now. */
  budget = 0;
  /** In this recovery: bytes that have arrived, and that have been sent. */
  #delivered = 0;
  #sent = 0;
  /** Bytes in flight at its beginning. */
  #flight = 1;

  /** A recovery begins. Its first retransmission goes out at once (section 3: at least one segment). */
  begin(flight: number, segmentSize: number): void {
    this.#delivered = 0;
    this.#sent = 0;
    this.#flight = Math.max(flight, segmentSize);
    this.budget = segmentSize;
  }

  sent(bytes: number): void {
    this.#sent += bytes;
    this.budget = Math.max(0, this.budget - bytes);
  }

  /**
   * Section 3: how much may be sent in answer to an acknowledgment that has shown `delivered` bytes to have arrived. `target` is the new
   * window, `resend` asks for one segment at least.
   */
  acknowledged(
    delivered: number,
    inFlight: number,
    target: number,
    segmentSize: number,
    resend: boolean,
  ): void {
    this.#delivered += delivered;
    let budget: number;
    if (inFlight > target) {
      budget = Math.ceil((this.#delivered * target) / this.#flight) - this.#sent;
    } else {
      const bound = Math.max(this.#delivered - this.#sent, delivered) + segmentSize;
      budget = Math.min(target - inFlight, bound);
    }
    this.budget = Math.max(0, budget, this.#sent === 0 || resend ? segmentSize : 0);
  }
}
