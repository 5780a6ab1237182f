/** What every request of a front-end looks like: its exact form, and what it does. */
import type { Message, Outcome } from '../message.ts';
import type { Session } from '../session.ts';

export interface Request {
  readonly id: number;
  readonly name: string;
  /** Exact number of payload bytes; a list of variable length says the least and the step. */
  readonly bytes: number | { readonly least: number; readonly step: number };
  /** Descriptors that come along: none where absent. */
  readonly descriptors?: (message: Message) => number;
  /** Its answer is its own, so that REPLY_ACK adds none. */
  readonly replies?: true;
  /** Legal only with this protocol feature. */
  readonly needs?: number;
  readonly carryOut: (session: Session, message: Message) => Outcome | Promise<Outcome>;
}

/** Whether a payload of so many bytes has the form of the request. */
export function fits({ bytes }: Request, size: number): boolean {
  return typeof bytes === 'number'
    ? size === bytes
    : size >= bytes.least && (size - bytes.least) % bytes.step === 0;
}
