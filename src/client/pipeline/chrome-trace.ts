import { type PipelineEvent, type QueueName, queueNames } from "./pipeline-events.ts";

/** Lanes of a queue are threads of the trace; more than so many jobs at once no width has. */
const lanesOfQueue = 10_000;

/**
 * A run in the Trace Event Format that chrome://tracing and Perfetto read: the form of an array, so that a file that was not finished can be read as well. Each job is a complete event (`ph: X`,
 * times in microseconds since the run began) in a lane of its queue, and each queue has a counter of what waits and runs.
 */
export class ChromeTrace {
  private readonly lanes: Readonly<Record<QueueName, (string | undefined)[]>> = {
    pull: [],
    fetch: [],
    build: [],
    push: [],
  };
  private readonly began = new Map<string, number>();
  private readonly waiting = { pull: 0, fetch: 0, build: 0, push: 0 };
  private zero: number | undefined;
  private readonly write: (text: string) => void;

  constructor(write: (text: string) => void) {
    this.write = write;
    write(`[\n${JSON.stringify({ name: "process_name", ph: "M", pid: 1, args: { name: "stillage build" } })}`);
  }

  take(event: PipelineEvent): void {
    this.zero ??= event.at;
    const ts = Math.round((event.at - this.zero) * 1000);
    switch (event.kind) {
      case "queued":
        this.waiting[event.queue] += 1;
        this.count(event.queue, ts);
        break;
      case "started":
        this.waiting[event.queue] -= 1;
        this.begin(event.queue, event.element, ts);
        this.count(event.queue, ts);
        break;
      case "ended":
      case "retrying": {
        const result = event.kind === "ended" ? event.result : "tried again";
        this.end(event.queue, event.element, ts, { result, ...(event.why && { why: event.why.message }) });
        this.count(event.queue, ts);
        break;
      }
      case "ending":
        this.put({ name: event.how, ph: "i", s: "g", ts, tid: 0 });
        break;
      case "settled":
        break;
    }
  }

  close(): void {
    this.write("\n]\n");
  }

  private begin(queue: QueueName, element: string, ts: number): void {
    const lanes = this.lanes[queue];
    const free = lanes.indexOf(undefined);
    const lane = free < 0 ? lanes.length : free;
    if (free < 0) {
      const tid = laneOf(queue, lane);
      this.put({ name: "thread_name", ph: "M", tid, args: { name: `${queue} ${lane + 1}` } });
      this.put({ name: "thread_sort_index", ph: "M", tid, args: { sort_index: tid } });
    }
    lanes[lane] = element;
    this.began.set(`${queue} ${element}`, ts);
  }

  private end(queue: QueueName, element: string, ts: number, args: object): void {
    const lanes = this.lanes[queue];
    const lane = lanes.indexOf(element);
    if (lane < 0) return;
    lanes[lane] = undefined;
    const began = this.began.get(`${queue} ${element}`) ?? ts;
    this.began.delete(`${queue} ${element}`);
    this.put({ name: element, cat: queue, ph: "X", ts: began, dur: ts - began, tid: laneOf(queue, lane), args });
  }

  private count(queue: QueueName, ts: number): void {
    const running = this.lanes[queue].filter((element) => element !== undefined).length;
    this.put({ name: queue, ph: "C", ts, tid: 0, args: { waiting: this.waiting[queue], running } });
  }

  private put(event: object): void {
    this.write(`,\n${JSON.stringify({ pid: 1, ...event })}`);
  }
}

const laneOf = (queue: QueueName, lane: number): number => (queueNames.indexOf(queue) + 1) * lanesOfQueue + lane;
