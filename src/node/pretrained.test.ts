import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { serve } from "../../test/support/server.js";
import { ArgumentError, FileError, models } from "../index.js";
import { isPretrainedName, listPretrained, pretrainedWeights } from "./pretrained.js";

const root = await mkdtemp(join(tmpdir(), "fovea-pretrained-"));
after(() => rm(root, { recursive: true }));
process.env.FOVEA_CACHE = root;
for (const name of ["FOVEA_TORCHVISION_URL", "HF_ENDPOINT"]) delete process.env[name];

const content = Buffer.from("weights");
const sha256 = createHash("sha256").update(content).digest("hex");

const rejects = (work: Promise<unknown>, type: typeof ArgumentError | typeof FileError, ...messages: RegExp[]) =>
  assert.rejects(work, (error) => {
    assert.ok(error instanceof type, String(error));
    for (const message of messages) assert.match(error.message, message);
    return true;
  });

test("weights of torchvision are known by name, with their accuracy and their way of resizing", async () => {
  const all = listPretrained();
  const resnet50 = all.filter(({ model }) => model === "resnet50");
  assert.deepEqual(
    resnet50.map(({ name, file, isDefault }) => [name, file, isDefault]),
    [
      ["torchvision/resnet50:IMAGENET1K_V1", "resnet50-0676ba61.pth", false],
      ["torchvision/resnet50:IMAGENET1K_V2", "resnet50-11ad3fa6.pth", true],
    ],
  );
  assert.deepEqual([resnet50[1].top1, resnet50[1].resizing.resize], [80.858, 232]);
  for (const { file, sha256 } of all) assert.ok(file.endsWith(`-${sha256}.pth`));
  for (const model of new Set(all.map((each) => each.model))) {
    assert.deepEqual(models.find(model).classes, "imagenet");
    assert.equal(all.filter((each) => each.model === model && each.isDefault).length, 1, model);
  }

  // What is in the cache is taken from there.
  const place = join(root, "weights/torchvision");
  await mkdir(place, { recursive: true });
  for (const { file } of resnet50) await writeFile(join(place, file), "cached");
  const expected = { path: join(place, resnet50[1].file), model: "resnet50", resizing: resnet50[1].resizing };
  for (const name of ["resnet50", "resnet50:DEFAULT", "resnet50:IMAGENET1K_V2"])
    assert.deepEqual(await pretrainedWeights(`torchvision/${name}`), expected);
  assert.equal((await pretrainedWeights("torchvision/resnet50:IMAGENET1K_V1")).path, join(place, resnet50[0].file));
});

test("a file with another checksum than its name has is refused, from the place that is set", async () => {
  const asked: (string | undefined)[] = [];
  const baseUrl = await serve((request, response) => {
    asked.push(request.url);
    response.end(content);
  });
  const fix =
    /Fix: where there is a network, download http.*resnet18-f37072fd\.pth and put it there as .*weights.torchvision.resnet18-f37072fd\.pth/;
  await rejects(pretrainedWeights("torchvision/resnet18", { baseUrl }), FileError, /its SHA-256 checksum is not/, fix);
  process.env.FOVEA_TORCHVISION_URL = `${baseUrl}mirror`;
  await rejects(pretrainedWeights("torchvision/resnet18"), FileError, /SHA-256/);
  assert.deepEqual(asked, ["/resnet18-f37072fd.pth", "/mirror/resnet18-f37072fd.pth"]);
  process.env.FOVEA_TORCHVISION_URL = "http://127.0.0.1:1/";
  await rejects(pretrainedWeights("torchvision/resnet18"), FileError, /torchvision\/resnet18: cannot download/, fix);
  await rejects(
    pretrainedWeights("torchvision/resnet18", { download: false }),
    FileError,
    /downloading is switched off/,
    fix,
  );
});

/** A hub that has some files, sends to elsewhere for their bytes, and tells their checksums unless told not to. */
async function hub(files: Readonly<Record<string, Buffer>>, checksum: string | null = sha256) {
  const requests: string[] = [];
  const address = await serve((request, response) => {
    const url = request.url ?? "";
    requests.push(`${request.method} ${url}`);
    const found = files[url.replace(/^\/blob/, "")];
    if (found === undefined) return response.writeHead(404).end();
    if (url.startsWith("/blob")) return response.end(found);
    const known = checksum === null ? {} : { "x-linked-etag": `"${checksum}"`, "x-linked-size": found.length };
    return response.writeHead(302, { location: `/blob${url}`, ...known }).end();
  });
  return { address, requests };
}

test("weights of a hub are found by owner and model, the safer format first", async () => {
  const file = "/timm/resnet18.a1_in1k/resolve/main/model.safetensors";
  const { address, requests } = await hub({ [file]: content });
  const { path, ...more } = await pretrainedWeights("hf:timm/resnet18.a1_in1k", { baseUrl: address });
  assert.equal(path, join(root, "weights/hub/timm/resnet18.a1_in1k/main/model.safetensors"));
  assert.deepEqual(more, {});
  assert.deepEqual(await readFile(path), content);
  assert.deepEqual(requests, [`HEAD ${file}`, `GET ${file}`, `GET /blob${file}`]);
  await pretrainedWeights("hf:timm/resnet18.a1_in1k", { baseUrl: address });
  assert.equal(requests.length, 3, "the second time it is in the cache");

  const older = await hub({ "/a/b/resolve/v1.0/pytorch_model.bin": content, "/a/b/resolve/main/x/y.pth": content });
  process.env.HF_ENDPOINT = older.address;
  assert.match((await pretrainedWeights("hf:a/b@v1.0")).path, /a.b.v1\.0.pytorch_model\.bin$/);
  assert.match((await pretrainedWeights("hf:a/b/x/y.pth")).path, /a.b.main.x.y\.pth$/);
});

test("models load published weights by name", async () => {
  const model = models.create("lenet5");
  const bytes = Buffer.from(await model.serialize());
  const { address } = await hub({ "/someone/lenet/resolve/main/model.safetensors": bytes }, null);
  process.env.HF_ENDPOINT = address;
  const other = models.create("lenet5");
  const { format } = await other.load("hf:someone/lenet");
  assert.equal(format, "safetensors");
  assert.deepEqual(await other.output.weight.value.data(), await model.output.weight.value.data());
  await rejects(other.load("hf:someone/else"), FileError, /answered 404/);
});

test("what the hub says of a file is checked, and what it does not have is an error", async () => {
  const files = { "/a/c/resolve/main/model.safetensors": content };
  const wrong = await hub(files, "0".repeat(64));
  await rejects(
    pretrainedWeights("hf:a/c", { baseUrl: wrong.address }),
    FileError,
    /SHA-256/,
    /hub.a.c.main.model\.safetensors/,
  );
  const unknown = await hub(files, null);
  assert.equal(
    dirname((await pretrainedWeights("hf:a/c", { baseUrl: unknown.address })).path),
    join(root, "weights/hub/a/c/main"),
  );
  const none = await hub({});
  await rejects(
    pretrainedWeights("hf:a/d", { baseUrl: none.address }),
    FileError,
    /answered 404/,
    /pytorch_model\.bin/,
  );
  await rejects(
    pretrainedWeights("hf:a/d", { baseUrl: "http://127.0.0.1:1" }),
    FileError,
    /hf:a\/d: cannot download a\/d\/model\.safetensors/,
  );
  await rejects(pretrainedWeights("hf:a/d", { download: false }), FileError, /downloading is switched off/);
});

test("names that mean nothing are refused, with what was probably meant", async () => {
  const cases: [string, RegExp][] = [
    [
      "torchvision/resnet19",
      /there are no weights torchvision\/resnet19\. Did you mean torchvision\/resnet1[08]\? Expected torchvision\/ and one of alexnet/,
    ],
    ["torchvision/resnet18:V2", /Expected torchvision\/resnet18:IMAGENET1K_V1\./],
    ["torchvision/", /there are no weights/],
    ["hf:model", /names nothing on the hub\. Expected hf:owner\/model/],
    ["hf:../../secret", /names nothing on the hub/],
    ["hf:a/..", /names nothing/],
    ["hf:a/b@..", /names nothing/],
    ["hf:a/b/../c", /names nothing/],
    ["hf:a/b?x", /names nothing/],
  ];
  for (const [name, message] of cases) {
    assert.ok(isPretrainedName(name));
    await rejects(pretrainedWeights(name), ArgumentError, message);
  }
  await rejects(
    pretrainedWeights("hf:a/x", { baseUrl: "nowhere" }),
    ArgumentError,
    /"nowhere" is not the address of a place/,
  );
  for (const path of ["resnet18.pth", "./torchvision/x.pth", "hf", "C:\\x"])
    assert.equal(isPretrainedName(path), false);
});
