/**
 * A topic's place on a backplane: what is published goes to the topics of the same name elsewhere, and what they publish
 * comes here; with history, a member may have what it missed.
 */
import { count } from '../../options.ts';
import type { Backplane, BackplaneSubscription } from '../backplane/backplane.ts';
import type { LogEntry } from '../backplane/broker.ts';
import type { Delivery } from '../backplane/channel.ts';
import { decodeEnvelope } from '../backplane/envelope.ts';
import { type Message, PreparedFrame } from '../prepared-frame.ts';
import { callOut } from '../uncaught.ts';
import { Publication } from './publication.ts';
import type { TopicMember } from './topic-member.ts';

/** Makes what members are sent of what was published. Called once for each message, and for each latecomer. */
export type MessageFormat = (message: PreparedFrame, delivery: Delivery) => Message;

/** How a topic is joined to others of its name. */
export interface TopicLinkOptions {
  /** Joins it to all topics of its name on the same backplane. Default: it is alone. */
  readonly backplane?: Backplane | undefined;
  /** What members are sent: here a message gets its id. Default: what was published. Only with a backplane. */
  readonly format?: MessageFormat | undefined;
}

/** What a member that comes, or comes again, is given of what it missed. Only with a backplane that has history. */
export interface CatchUpOptions {
  /**
   * The id of the last message that it saw: it is given all that came behind it, in order, and then what comes. The id
   * may come from a page: whatever it is, it does no harm.
   */
  readonly after?: string | undefined;
  /** Messages, the newest, that it is given without `after`, or behind a gap. Default: with `after`, all that there is. */
  readonly last?: number | undefined;
  /** Is called where something behind `after` is not there any more, before anything is sent. */
  readonly onGap?: (() => void) | undefined;
}

/** Delivers to the members of the topic. */
export type Deliver = (frame: PreparedFrame) => void;

export class TopicLink {
  /** Whether everything comes through the log, also what is published here. */
  readonly isLogged: boolean;
  readonly #backplane: Backplane;
  readonly #subscription: BackplaneSubscription;
  readonly #format: MessageFormat | undefined;
  /** Kept when all that was published has been taken, or refused. */
  #taken: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  /** @throws TypeError for options that cannot be */
  constructor(name: string, backplane: Backplane, format: MessageFormat | undefined, deliver: Deliver) {
    if (typeof backplane?.subscribe !== 'function') throw new TypeError('backplane must be a Backplane');
    this.#backplane = backplane;
    this.#format = format;
    this.isLogged = backplane.hasHistory;
    this.#subscription = backplane.subscribe(name, (message, delivery) => deliver(this.#shape(message, delivery)));
  }

  /** Makes what members are sent at once of what is published here. */
  shape(message: PreparedFrame): PreparedFrame {
    return this.isLogged ? message : this.#shape(message, { id: undefined, isLocal: true });
  }

  /** Publishes elsewhere; with history, here too. @returns whether it was taken. It never rejects */
  publish(message: PreparedFrame): Promise<boolean> {
    const before = this.#taken;
    const taken = this.#subscription.publish(message);
    if (this.isLogged) this.#taken = taken.then(() => before);
    return taken;
  }

  /** Whether members have still to be given what was published, after the end too. */
  get isPending(): boolean {
    return this.isLogged && !this.#isClosed;
  }

  /** Kept when they have been. */
  async settled(): Promise<void> {
    await this.#taken;
    await this.#subscription.caughtUp();
  }

  /** Holds a publication back while too much waits for the broker. */
  hold(publication: Publication): void {
    const room = this.#backplane.room();
    if (room === undefined) return;
    publication.holdFor(this);
    void room.then(() => publication.release(this));
  }

  /** Gives a member what it missed; until then it is late. */
  catchUp(member: TopicMember, { after, last, onGap }: CatchUpOptions): void {
    member.isLate = true;
    let given: Publication | undefined;
    const give = ({ bytes, id }: LogEntry): void => {
      const envelope = decodeEnvelope(bytes);
      if (typeof envelope === 'string' || envelope.frame === undefined) return;
      given = new Publication(this.#shape(envelope.frame, { id, isLocal: false }));
      member.take(given, true);
    };
    const latecomer = {
      get hasLeft() {
        return member.hasLeft;
      },
      get hasRoom() {
        return given?.isReleased ?? true;
      },
      // There is none only where something was given.
      room: () => new Promise<void>((resolve) => given!.whenReleased(resolve)),
      missed: () => callOut(() => onGap?.()),
      give: (entry: LogEntry) => callOut(() => give(entry)),
      join: () => {
        member.isLate = false;
      },
    };
    void this.#subscription.replay({ after, last }, latecomer);
  }

  close(): void {
    this.#isClosed = true;
    this.#subscription.unsubscribe();
  }

  #shape(message: PreparedFrame, delivery: Delivery): PreparedFrame {
    if (this.#format === undefined) return message;
    const shaped = this.#format(message, delivery);
    return shaped instanceof PreparedFrame ? shaped : new PreparedFrame(shaped);
  }
}

/** Whether a member asks for what it missed. @throws TypeError, RangeError for what cannot be asked for */
export function wantsCatchUp(options: CatchUpOptions | undefined, link: TopicLink | undefined): boolean {
  if (options === undefined) return false;
  const { after, last, onGap } = options;
  if (after !== undefined && typeof after !== 'string') throw new TypeError('after must be a string');
  if (onGap !== undefined && typeof onGap !== 'function') throw new TypeError('onGap must be a function');
  count('last', last, 0, Number.MAX_SAFE_INTEGER);
  const isAsked = after !== undefined || last !== undefined;
  if (isAsked && !link?.isLogged) throw new TypeError('after and last need a backplane with history');
  return isAsked;
}
