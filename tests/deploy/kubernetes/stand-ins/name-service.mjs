// A name service for the cluster: answers A queries for services with the addresses that the API server
// knows, read every 500 ms. Environment: KUBERNETES_API, TOKEN.
import { createSocket } from 'node:dgram';

const { KUBERNETES_API, TOKEN } = process.env;
const SUFFIX = '.svc.cluster.local';
const A = 1;
const FLAGS = { answer: 0x8580, noName: 0x8583 };
/** @type {Map<string, string[]>} addresses by name, such as `gateway.gudang.svc.cluster.local` */
let names = new Map();

async function read(path) {
  const response = await fetch(`${KUBERNETES_API}${path}`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  return (await response.json()).items;
}

async function refresh() {
  const [services, endpoints] = await Promise.all(
    ['/api/v1/services', '/api/v1/endpoints'].map(read),
  );
  const found = new Map();
  for (const { metadata, spec } of services) {
    const { name, namespace } = metadata;
    const own = endpoints.find(
      (one) => one.metadata.name === name && one.metadata.namespace === namespace,
    );
    // A service without an address of its own stands for its pods.
    const pods = (own?.subsets ?? []).flatMap(({ addresses = [] }) =>
      addresses.map(({ ip }) => ip),
    );
    found.set(`${name}.${namespace}${SUFFIX}`, spec.clusterIP === 'None' ? pods : [spec.clusterIP]);
  }
  names = found;
}

function nameIn(query) {
  const labels = [];
  let at = 12;
  for (let size = query[at]; size > 0; size = query[at]) {
    labels.push(query.toString('latin1', at + 1, at + 1 + size));
    at += 1 + size;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function answer(query) {
  const { name, type, end } = nameIn(query);
  const addresses = type === A ? (names.get(name) ?? []) : [];
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(names.has(name) ? FLAGS.answer : FLAGS.noName, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(addresses.length, 6);
  // A pointer to the name in the question, type A, class IN, 1 s, four bytes.
  const records = addresses.map((address) =>
    Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, ...address.split('.').map(Number)]),
  );
  return Buffer.concat([header, query.subarray(12, end), ...records]);
}

await refresh();
setInterval(() => refresh().catch((error) => process.stderr.write(`${error}\n`)), 500);
const socket = createSocket('udp4');
socket.on('message', (query, { port, address }) => socket.send(answer(query), port, address));
socket.bind(53);
process.on('SIGTERM', () => process.exit(0));
