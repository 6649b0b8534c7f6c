import { StateFolder, controlClient, type ControlClient } from '@netloom/edge/client';
import type { CommandIo } from './command.ts';

/** Which node is meant, as options of commands that talk to one. */
export const nodeOptions = {
  name: { type: 'string' },
  state: { type: 'string' },
} as const;

/** What help says of {@link nodeOptions}. */
export const nodeHelp = `  --name NAME    the node of that name, where there are several (default 'default')
  --state DIR    where nodes keep what they know (default $NETLOOM_STATE, or ~/.local/state/netloom)
`;

/** What was given of {@link nodeOptions}. */
export interface NodeChoice {
  readonly name?: string | undefined;
  readonly state?: string | undefined;
}

/** A client of the node that is meant; what its user should know is told on standard error. */
export function chooseNode({ name, state }: NodeChoice, io: CommandIo): ControlClient {
  const notice = (text: string): void => io.writeError(`netloom: ${text}\n`);
  return controlClient(new StateFolder(name, state), { notice });
}
