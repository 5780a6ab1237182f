/** What every request of a front-end looks like: its exact form, and what it does. */
import type { PlanDevice } from '../../../schedule/gateway-plan.ts';
import { refused, type Message, type Outcome } from '../message.ts';
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

type Carrier = Request['carryOut'];
type PlanOf<Type> = Extract<PlanDevice, { readonly type: Type }>;

/** What only a device of one type can carry out. */
export function forDevice<Type extends PlanDevice['type']>(
  type: Type,
  carryOut: (plan: PlanOf<Type>, ...rest: Parameters<Carrier>) => ReturnType<Carrier>,
): Carrier {
  return (session, message) => {
    const { plan } = session.parts;
    return plan.type === type
      ? carryOut(plan as PlanOf<Type>, session, message)
      : refused(`a request for a device of type ${type}; this is a ${plan.type}`);
  };
}

/** Whether a payload of so many bytes has the form of the request. */
export function fits({ bytes }: Request, size: number): boolean {
  return typeof bytes === 'number'
    ? size === bytes
    : size >= bytes.least && (size - bytes.least) % bytes.step === 0;
}
