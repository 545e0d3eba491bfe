// The rooms of the chat. A room is a topic for what is said, joined to its like in other processes, and a list of who is
// there, which the processes tell one another.
import { Topic } from 'wspipe';

/** How often a process tells who is there, and after how long it is taken to have gone, in ms. */
const TELL_MS = 5000;
const GONE_MS = 3 * TELL_MS;
/** How much of what was said a newcomer is shown. */
const SHOWN = 50;

const json = JSON.stringify;

/** What a page sends is whatever anybody sends. @returns undefined where it makes no sense */
function parse(text) {
  try {
    const message = JSON.parse(text);
    return typeof message === 'object' && message !== null ? message : undefined;
  } catch {
    return undefined;
  }
}

const clean = (value, max) => (typeof value === 'string' ? value.trim().slice(0, max) : '');
const isRoom = (name) => typeof name === 'string' && /^[a-z0-9-]{1,32}$/.test(name);

export class Lobby {
  #talk;
  #signals;
  #rooms = new Map();

  constructor(talk, signals) {
    this.#talk = talk;
    this.#signals = signals;
  }

  /** Serves one page for as long as it is there. It says first who it is, where it goes, and what it saw last. */
  async serve(connection) {
    let room;
    let person;
    for await (const frame of connection) {
      const message = frame.isText() ? parse(frame.payloadText()) : undefined;
      if (message?.type === 'hello' && room === undefined && isRoom(message.room) && clean(message.name, 32) !== '') {
        person = clean(message.name, 32);
        room = this.#open(message.room);
        room.enter(connection, person, clean(message.after, 64) || undefined);
      } else if (message?.type === 'say' && room !== undefined && clean(message.text, 2000) !== '') {
        await room.say(connection, person, clean(message.text, 2000));
      } else {
        void connection.close(1008, 'that makes no sense here');
        break;
      }
    }
    room?.leave(connection);
    if (room?.isEmpty) this.#close(room);
  }

  close() {
    for (const room of this.#rooms.values()) this.#close(room);
  }

  #open(name) {
    const room = this.#rooms.get(name) ?? new Room(name, this.#talk, this.#signals);
    this.#rooms.set(name, room);
    return room;
  }

  #close(room) {
    this.#rooms.delete(room.name);
    room.close();
  }
}

class Room {
  name;
  #topic;
  #presence;
  /** Who is here: connection → name. */
  #people = new Map();

  constructor(name, talk, signals) {
    this.name = name;
    // The id comes with each message, so that a page can ask for what is behind it.
    const format = (message, { id }) => json({ type: 'said', id, ...JSON.parse(message.payloadText()) });
    this.#topic = new Topic({ name: `room:${name}`, backplane: talk, format });
    this.#presence = new Presence(name, signals, (names) => this.#tell({ type: 'people', names }));
  }

  get isEmpty() {
    return this.#people.size === 0;
  }

  enter(connection, person, after) {
    this.#people.set(connection, person);
    void connection.sendText(json({ type: 'welcome', room: this.name, process: process.pid }));
    this.#topic.add(connection, { after, last: SHOWN, onGap: () => void connection.sendText(json({ type: 'gap' })) });
    this.#presence.set([...this.#people.values()]);
    void connection.sendText(json({ type: 'people', names: this.#presence.names }));
  }

  leave(connection) {
    this.#people.delete(connection);
    this.#presence.set([...this.#people.values()]);
  }

  /** Says something to all who are in the room, in every process. */
  async say(connection, person, text) {
    const isTaken = await this.#topic.publish(json({ name: person, text, at: Date.now() }));
    if (!isTaken) await connection.sendText(json({ type: 'refused', text }));
  }

  close() {
    this.#topic.destroy();
    this.#presence.close();
  }

  #tell(message) {
    const text = json(message);
    for (const connection of this.#people.keys()) void connection.sendText(text);
  }
}

/** Who is in a room, in all processes together: each tells its own list when it changes, when asked, and now and then. */
class Presence {
  #channel;
  #signals;
  #subscription;
  #timer;
  #onChange;
  #own = [];
  #id = crypto.randomUUID();
  /** What each process has told last: id → { names, at }. */
  #lists = new Map();
  #shown = '';

  constructor(room, signals, onChange) {
    this.#channel = `presence:${room}`;
    this.#signals = signals;
    this.#onChange = onChange;
    this.#subscription = signals.subscribe(this.#channel, (message) => this.#hear(JSON.parse(message.payloadText())));
    this.#timer = setInterval(() => this.#tellOwn(), TELL_MS);
    void this.#subscription.ready.then(() => this.#publish({ ask: true }));
  }

  /** All names, each once. */
  get names() {
    const fresh = [...this.#lists.values()].filter(({ at }) => performance.now() - at < GONE_MS);
    return [...new Set(fresh.flatMap(({ names }) => names))].sort((a, b) => a.localeCompare(b));
  }

  set(names) {
    this.#own = names;
    this.#tellOwn();
  }

  close() {
    this.set([]);
    clearInterval(this.#timer);
    this.#subscription.unsubscribe();
  }

  #tellOwn() {
    this.#publish({ id: this.#id, names: this.#own });
    this.#show();
  }

  #hear({ ask, id, names }) {
    if (ask) return this.#tellOwn();
    if (names.length > 0) this.#lists.set(id, { names, at: performance.now() });
    else this.#lists.delete(id);
    this.#show();
  }

  #show() {
    const { names } = this;
    if (json(names) === this.#shown) return;
    this.#shown = json(names);
    this.#onChange(names);
  }

  #publish(message) {
    void this.#signals.publish(this.#channel, json(message));
  }
}
