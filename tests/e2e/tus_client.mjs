// The real tus-js-client, driven by one JSON argument; prints events as JSON Lines.
//   node tus_client.mjs '{"packages": ".../web/package.json", "endpoint": "http://...", "files": ["a.mp4"]}'
// headers: of every request; pause_at: bytes after which each upload is paused once for 0.3 s; defer: the length is told with the last part.
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";
import { PassThrough } from "node:stream";

const task = JSON.parse(process.argv[2]);
const tus = createRequire(task.packages)("tus-js-client");
const say = (event) => console.log(JSON.stringify(event));

function upload(file) {
  return new Promise((resolve) => {
    let job = null, paused = false;
    const end = (event) => resolve(say({ file, job, ...event }));
    const stream = fs.createReadStream(file);
    // Of a file it would ask the size; a pipe is what has no length.
    const one = new tus.Upload(task.defer ? stream.pipe(new PassThrough()) : stream, {
      endpoint: task.endpoint,
      chunkSize: task.chunk,
      uploadSize: task.defer ? undefined : fs.statSync(file).size,
      uploadLengthDeferred: Boolean(task.defer),
      uploadDataDuringCreation: Boolean(task.with_creation),
      overridePatchMethod: Boolean(task.override),
      headers: task.headers ?? {},
      retryDelays: [0, 200, 500, 1000, 1000, 2000, 2000, 4000],
      metadata: { filename: path.basename(file), filetype: "video/mp4" },
      onAfterResponse: (request, response) => {
        say({ event: "answer", method: request.getMethod(), status: response.getStatus() });
        job = response.getHeader("Reeltag-Job") ?? job;
      },
      onUploadUrlAvailable: () => say({ event: "url", url: one.url }),
      onChunkComplete: (size, accepted) => say({ event: "chunk", accepted }),
      onShouldRetry: (error, attempt) => {
        say({ event: "retry", attempt });
        return true;
      },
      onProgress: (sent) => {
        if (task.pause_at && !paused && sent >= task.pause_at) {
          paused = true;
          one.abort().then(() => {
            say({ event: "paused", sent });
            setTimeout(() => one.start(), 300);
          });
        }
      },
      onError: (error) => end({ event: "error", message: String(error) }),
      onSuccess: () => end({ event: "success", url: one.url }),
    });
    one.start();
  });
}

await Promise.all(task.files.map(upload));
