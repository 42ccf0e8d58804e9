/** Child process with websocket clients that record only the arrival times of events. */
import { serveClients } from './client-process.ts';

const AT = Buffer.from('"at":');
let received = 0;
let latencies: number[] = [];

function take(data: Buffer): void {
  received += 1;
  // Counts all events, but measures the time of only every tenth. If this process parsed all
  // events, it would take CPU time from the gateway.
  if (received % 10 !== 0) return;
  const place = data.indexOf(AT);
  if (place < 0) return;
  const at = Number.parseFloat(data.toString('latin1', place + AT.length, place + AT.length + 20));
  latencies.push(performance.timeOrigin + performance.now() - at);
}

const observer = {
  message: take,
  closed: (code: number) => void process.stderr.write(`a client was closed with ${code}\n`),
};

serveClients(
  () => observer,
  () => {
    const report = { received, latencies };
    received = 0;
    latencies = [];
    return report;
  },
);
