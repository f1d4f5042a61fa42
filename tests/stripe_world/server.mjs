// seahaven-stripe-world behind a port of this machine. It needs Python 3.14, so it runs in Pyodide, which Node can load.
// node server.mjs FOLDER PORT: FOLDER holds node_modules/pyodide and wheels/.
import { readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [folder, port] = process.argv.slice(2);
const { loadPyodide } = await import(
  pathToFileURL(createRequire(path.join(folder, "package.json")).resolve("pyodide/pyodide.mjs"))
);
const python = await loadPyodide();
const site = python.runPython("import site; site.getsitepackages()[0]");
const wheels = path.join(folder, "wheels");
for (const name of readdirSync(wheels)) {
  python.unpackArchive(new Uint8Array(readFileSync(path.join(wheels, name))), name.endsWith(".zip") ? "zip" : "wheel", { extractDir: site });
}
python.runPython(readFileSync(new URL("world.py", import.meta.url), "utf-8"));
const answer = python.globals.get("answer");

createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)]);
  const [status, answered, body] = answer(
    request.method, request.url, JSON.stringify(headers), Buffer.concat(parts).toString("latin1"),
  ).toJs();
  response.writeHead(status, Object.fromEntries(answered));
  response.end(Buffer.from(body));
}).listen(Number(port), "127.0.0.1");
