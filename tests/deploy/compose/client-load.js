// Runs in containers of `npm run compose:try`, each of which is a client with an address of its own.
// Arguments: start (Unix time in ms), seconds, operations per second. Prints the number of answers by
// status, or by the code of the first error, and the time. A late operation delays the later ones, so
// that the rate is never higher.
const { Agent, request } = require('node:http');

const [start, seconds, rate] = process.argv.slice(1).map(Number);
const agent = new Agent({ keepAlive: true, maxSockets: 20 });
const query = '{ stocks(first: 1) { nodes { id quantity } } }';
const answers = {};
const count = (answer) => {
  answers[answer] = (answers[answer] ?? 0) + 1;
};

const send = () =>
  new Promise((resolve) => {
    const sent = request(
      'http://edge:4000/graphql',
      { method: 'POST', agent, headers: { host: 'localhost', 'content-type': 'application/json' } },
      (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => {
          let code;
          try {
            code = JSON.parse(Buffer.concat(chunks)).errors?.[0]?.extensions?.code;
          } catch {
            code = 'not JSON';
          }
          resolve(count(code ?? response.statusCode));
        });
      },
    );
    sent.on('error', ({ code }) => resolve(count(code)));
    sent.end(JSON.stringify({ query }));
  });

const run = async () => {
  const running = [];
  await new Promise((resolve) => setTimeout(resolve, start - Date.now()));
  for (let sent = 0, next = performance.now(); sent < seconds * rate; sent += 1) {
    const wait = next - performance.now();
    if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
    next = Math.max(next, performance.now() - 50) + 1000 / rate;
    running.push(send());
  }
  await Promise.all(running);
  process.stdout.write(JSON.stringify({ answers, ms: Date.now() - start }), () => process.exit(0));
};
void run();
