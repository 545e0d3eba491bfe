/**
 * Joins two streams as `source.pipe(sink)` does, for streams that have one road each: what the sink cannot take stops the
 * source, and the end of the source is the end of the sink. Errors stay where they are.
 *
 * Node's `pipe` makes ten closures and several lists for each pair, about 1.5 KiB, which an idle connection would hold
 * twice for as long as it lives. Here all pairs share three functions, which find the other stream through the one that
 * they are called on.
 */
import type { Readable, Writable } from 'node:stream';

const kSink: unique symbol = Symbol('wspipe.sink');
const kSource: unique symbol = Symbol('wspipe.source');

type Source = Readable & { [kSink]?: Writable | undefined };
type Sink = Writable & { [kSource]?: Readable | undefined };

/** Lets the bytes or objects of `source` flow into `sink`. Each stream has at most one sink and one source. */
export function pump(source: Source, sink: Sink): void {
  source[kSink] = sink;
  sink[kSource] = source;
  sink.on('drain', resumeSource);
  source.on('data', writeToSink).on('end', endSink);
  if (source.readableEnded) process.nextTick(() => endSink.call(source));
  if (sink.writableNeedDrain) source.pause();
  else source.resume();
}

/** Undoes {@link pump}: the source is left as it is, and nothing more reaches the sink. */
export function stopPump(source: Source): void {
  const sink: Sink | undefined = source[kSink];
  if (sink === undefined) return;
  source[kSink] = undefined;
  sink[kSource] = undefined;
  sink.off('drain', resumeSource);
  source.off('data', writeToSink).off('end', endSink);
}

function writeToSink(this: Source, chunk: unknown): void {
  const sink = this[kSink]!;
  // While it takes the chunk, they may be parted.
  if (!sink.write(chunk) && this[kSink] === sink) this.pause();
}

function endSink(this: Source): void {
  this[kSink]?.end();
}

function resumeSource(this: Sink): void {
  this[kSource]?.resume();
}
