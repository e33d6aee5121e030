// Objects, buffers outside of the collected heap, compression, promises, worker threads.
const zlib = require('zlib');
const crypto = require('crypto');
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');

function digest(n) {
  const parts = [];
  for (let i = 0; i < n; i++) parts.push(Buffer.from(`line ${i} ${'x'.repeat(i % 90)}\n`));
  const whole = Buffer.concat(parts);
  const packed = zlib.deflateSync(whole);
  if (!zlib.inflateSync(packed).equals(whole)) throw new Error('damaged');
  return crypto.createHash('sha256').update(packed).digest('hex');
}

if (isMainThread) {
  const jobs = [1, 2, 3].map((i) => new Promise((done, failed) => {
    const w = new Worker(__filename, { workerData: i * 2000 });
    w.on('message', done);
    w.on('error', failed);
  }));
  Promise.all(jobs).then((found) => {
    console.log(found.join('\n'));
    const big = Array.from({ length: 200000 }, (_, i) => ({ i, s: String(i) }));
    console.log(big.reduce((sum, o) => sum + o.s.length, 0), digest(5000));
    process.exitCode = 9;
  });
} else {
  parentPort.postMessage(digest(workerData));
}
