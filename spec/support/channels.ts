/** Hears what is published on diagnostics channels. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { onTestFinished } from 'vitest';

/** Collects what is published on a channel until the test ends. */
export function listenTo<Message>(name: string): Message[] {
  const messages: Message[] = [];
  const note = (message: unknown): void => void messages.push(message as Message);
  subscribe(name, note);
  onTestFinished(() => void unsubscribe(name, note));
  return messages;
}
