import assert from 'node:assert/strict';
import { everywhere, memory, stacks, testIn, type Place } from '../../../test/http/places.ts';
import { fromLatin1, latin1 } from '../../../test/http/messages.ts';
import { response, scriptedServer, type Script } from '../../../test/http/scripted-server.ts';
import {
  createClient,
  download,
  type DownloadInfo,
  type DownloadOptions,
  type DownloadProgress,
  type DownloadSink,
} from './index.ts';

const FILE = '0123456789abcdefghij';
const ETAG = 'ETag: "v1"';

/** A file in memory, and all that was done to it. */
class FileSink implements DownloadSink {
  text: string;
  finished: number | undefined;
  readonly log: string[] = [];
  info: DownloadInfo | undefined;
  begunAt: number | undefined;
  /** Writes that had been when it was begun last. */
  writesBefore: number | undefined;

  constructor(text = '') {
    this.text = text;
  }

  begin(info: DownloadInfo, position: number): void {
    this.info = info;
    this.begunAt = position;
    this.writesBefore = this.log.filter((entry) => entry.startsWith('write')).length;
  }

  write(chunk: Uint8Array, position: number): Promise<void> {
    assert.equal(position, this.text.length);
    this.text += fromLatin1(chunk);
    this.log.push(`write ${position}+${chunk.length}`);
    return Promise.resolve();
  }

  truncate(length: number): void {
    this.log.push(`truncate ${length}`);
    this.text = this.text.slice(0, length);
  }

  finish(length: number): void {
    this.finished = length;
  }
}

/** A partial file of version 1, so long. */
const partial = (position: number) => ({ position, validators: { etag: '"v1"' } });

/** A download from a server that follows a script. */
async function scene(place: Place, script: Script) {
  const host = place.host();
  const requests = await scriptedServer(host, 80, script);
  const client = createClient({ host });
  const get = (sink: DownloadSink, options: Partial<DownloadOptions> = {}) =>
    host.drive(download('http://h/file', { client, clock: host.clock, sink, ...options }));
  return { host, requests, get };
}

/** Where a request wants the file from. */
const rangeOf = (text: string): number | undefined => {
  const match = /\r\nrange: bytes=(\d+)-\r\n/.exec(text);
  return match === null ? undefined : Number(match[1]);
};

/** The rest of the file from a position, as a server says it that knows ranges. */
const partOf = (file: string, from: number, ...fields: string[]): string =>
  response(
    file.slice(from),
    ...fields,
    `Content-Range: bytes ${from}-${file.length - 1}/${file.length}`,
  ).replace('200 OK', '206 Partial Content');

/** A server that knows ranges. */
const server: Script = ({ text }) => {
  const from = rangeOf(text);
  if (from === undefined) return response(FILE, ETAG);
  if (!text.includes('\r\nif-range: "v1"\r\n')) return response(FILE, ETAG);
  return from < FILE.length
    ? partOf(FILE, from, ETAG)
    : `HTTP/1.1 416 x\r\nContent-Range: bytes */${FILE.length}\r\nContent-Length: 0\r\n\r\n`;
};

everywhere('a file is downloaded whole, and its version noted', async (place) => {
  const { get, requests } = await scene(place, server);
  const sink = new FileSink();
  const progress: DownloadProgress[] = [];
  const result = await get(sink, { progress: (step) => progress.push(step) });
  assert.equal(sink.text, FILE);
  assert.equal(sink.finished, 20);
  const { headers, ...rest } = result;
  assert.deepEqual(rest, {
    url: 'http://h/file',
    status: 200,
    contentType: undefined,
    lastModified: undefined,
    total: 20,
    validators: { etag: '"v1"' },
    length: 20,
    resumedFrom: 0,
  });
  assert.equal(headers.get('content-length'), '20');
  assert.deepEqual(sink.info?.validators, { etag: '"v1"' });
  assert.deepEqual(progress.at(-1), { position: 20, total: 20, rate: 0 });
  assert.doesNotMatch(requests[0]!, /range/);
});

everywhere('a partial file is added to', async (place) => {
  const { get } = await scene(place, server);
  const sink = new FileSink(FILE.slice(0, 7));
  const result = await get(sink, { partial: partial(7) });
  assert.equal(sink.text, FILE);
  assert.deepEqual(sink.log, ['write 7+13']);
  assert.equal(result.resumedFrom, 7);
  assert.equal(result.total, 20);
});

everywhere(
  'what the last server said is told: before the first byte, and with the result',
  async (place) => {
    const modified = 'Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT';
    const fields = [modified, 'Content-Type: text/plain; charset=utf-8', ETAG];
    const { get } = await scene(place, ({ text, index }) => {
      if (index === 0) return 'HTTP/1.1 302 x\r\nLocation: /to\r\nContent-Length: 0\r\n\r\n';
      const from = rangeOf(text);
      return from === undefined ? response(FILE, ...fields) : partOf(FILE, from, ...fields);
    });
    const expected = {
      contentType: 'text/plain; charset=utf-8',
      lastModified: Date.UTC(1994, 10, 6, 8, 49, 37),
    };
    for (const [position, status] of [
      [0, 200],
      [7, 206],
    ] as const) {
      const sink = new FileSink(FILE.slice(0, position));
      const result = await get(sink, { partial: partial(position) });
      assert.deepEqual([sink.begunAt, sink.writesBefore], [position, 0]);
      assert.equal(sink.text, FILE);
      for (const told of [result, sink.info!]) {
        const { contentType, lastModified } = told;
        assert.deepEqual({ contentType, lastModified }, expected);
        assert.equal(told.status, status);
        assert.equal(told.headers.get('etag'), '"v1"');
      }
    }
  },
);

everywhere('a file that is whole already has the date it was noted with', async (place) => {
  const { get } = await scene(place, server);
  const validators = { etag: '"v1"', lastModified: 'Sun, 06 Nov 1994 08:49:37 GMT' };
  const result = await get(new FileSink(FILE), { partial: { position: 20, validators } });
  assert.deepEqual([result.status, result.total], [416, 20]);
  assert.equal(result.lastModified, Date.UTC(1994, 10, 6, 8, 49, 37));
});

everywhere(
  'without a validator, or with a weak one, nothing can be added: it is begun anew',
  async (place) => {
    const { get, requests } = await scene(place, server);
    const sink = new FileSink('xxx');
    const result = await get(sink, { partial: { position: 3, validators: {} } });
    assert.equal(sink.text, FILE);
    assert.equal(result.resumedFrom, 0);
    assert.doesNotMatch(requests[0]!, /range/);
    const weak = await scene(place, () => response(FILE, 'ETag: W/"v1"'));
    const noted = new FileSink();
    await weak.get(noted);
    assert.deepEqual(noted.info!.validators, {});
  },
);

everywhere('a date serves as a validator if it is a second old', async (place) => {
  const modified = 'Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT';
  const answer = (date: string) =>
    response(FILE, modified, `Date: Sun, 06 Nov 1994 08:49:${date} GMT`);
  const { get, requests } = await scene(place, ({ text }) =>
    rangeOf(text) === undefined ? answer('38') : partOf(FILE, 7, modified),
  );
  const sink = new FileSink();
  await get(sink);
  const { validators } = sink.info!;
  assert.deepEqual(validators, { lastModified: 'Sun, 06 Nov 1994 08:49:37 GMT' });
  const rest = new FileSink(FILE.slice(0, 7));
  await get(rest, { partial: { position: 7, validators } });
  assert.match(requests[1]!, /\r\nif-range: Sun, 06 Nov 1994 08:49:37 GMT\r\n/);
  assert.equal(rest.text, FILE);
  const young = await scene(place, () => answer('37'));
  const noted = new FileSink();
  await young.get(noted);
  assert.deepEqual(noted.info!.validators, {});
});

everywhere(
  'a server that ignores ranges, or has another version, makes it begin anew',
  async (place) => {
    for (const fields of [[ETAG], ['ETag: "v2"'], []]) {
      const { get } = await scene(place, () => response('another file', ...fields));
      const sink = new FileSink(FILE.slice(0, 7));
      const result = await get(sink, { partial: partial(7) });
      assert.equal(sink.text, 'another file');
      assert.equal(result.resumedFrom, 0);
    }
  },
);

everywhere(
  'a part that does not fit is not used: another range, version, several ranges, no length',
  async (place) => {
    const answers = [
      partOf(FILE, 5, ETAG),
      partOf(FILE, 7, 'ETag: "v2"'),
      partOf(FILE, 7, ETAG).replace('Content-Range', 'X-Content-Range'),
      partOf(FILE, 7, ETAG).replace('bytes 7-19/20', 'bytes 7-19/*'),
      partOf(FILE, 7, ETAG).replace('bytes 7-19/20', 'bytes 19-7/20'),
      partOf(FILE, 7, ETAG).replace('bytes 7-19/20', 'lines 7-19/20'),
      'HTTP/1.1 416 x\r\nContent-Length: 0\r\n\r\n',
      'HTTP/1.1 416 x\r\nContent-Range: bytes */5\r\nContent-Length: 0\r\n\r\n',
    ];
    for (const answer of answers) {
      const { get, requests } = await scene(place, ({ text }) =>
        rangeOf(text) === undefined ? response(FILE, ETAG) : answer,
      );
      const sink = new FileSink(FILE.slice(0, 7));
      const result = await get(sink, { partial: partial(7) });
      assert.equal(sink.text, FILE, answer);
      assert.equal(result.resumedFrom, 0);
      assert.equal(requests.length, 2);
    }
  },
);

everywhere('a file that is whole already is finished without a byte', async (place) => {
  const { get } = await scene(place, server);
  const sink = new FileSink(FILE);
  const result = await get(sink, { partial: partial(20) });
  assert.deepEqual(sink.log, []);
  assert.equal(sink.finished, 20);
  assert.equal(result.length, 20);
});

everywhere('a range shorter than asked for is taken, and the rest asked for', async (place) => {
  const { get, requests } = await scene(place, ({ text }) => {
    const from = rangeOf(text);
    if (from === undefined) return response(FILE, ETAG);
    const piece = FILE.slice(from, from + 5);
    return response(
      piece,
      ETAG,
      `Content-Range: bytes ${from}-${from + piece.length - 1}/20`,
    ).replace('200', '206');
  });
  const sink = new FileSink(FILE.slice(0, 7));
  await get(sink, { partial: partial(7) });
  assert.equal(sink.text, FILE);
  assert.equal(requests.length, 3);
});

/** Sends a text and ends the connection. */
const cutOff: (text: string) => Script =
  (text) =>
  ({ connection }) => {
    connection.write(latin1(text));
    connection.end();
    return undefined;
  };

testIn(
  [memory, stacks],
  'a connection that breaks is taken up where it broke, after the shortest wait as long as it gets further',
  async (place) => {
    let broken = 0;
    const { get, requests, host } = await scene(place, (request) => {
      const whole = server(request)!;
      if (broken++ < 3) return cutOff(whole.slice(0, whole.indexOf('\r\n\r\n') + 4 + 5))(request);
      return whole;
    });
    const sink = new FileSink();
    await get(sink);
    assert.equal(sink.text, FILE);
    assert.deepEqual(requests.map(rangeOf), [undefined, 5, 10, 15]);
    assert.deepEqual(sink.log, [
      'truncate 0',
      'write 0+5',
      'write 5+5',
      'write 10+5',
      'write 15+5',
    ]);
    assert.equal(host.clock.now(), 1500);
  },
);

testIn(
  [memory, stacks],
  'without a validator a broken download begins anew, and gives up when it gets no further',
  async (place) => {
    const { get, requests, host } = await scene(place, cutOff(response(FILE).slice(0, -5)));
    const sink = new FileSink();
    await assert.rejects(get(sink, { retries: 3 }), { code: 'HTTP_TRUNCATED' });
    assert.equal(requests.length, 4);
    assert.ok(requests.every((text) => rangeOf(text) === undefined));
    assert.equal(sink.finished, undefined);
    assert.equal(host.clock.now(), 500 + 1000 + 2000);
  },
);

testIn(
  [memory, stacks],
  'a server that is not there is not asked again and again',
  async (place) => {
    const host = place.host();
    const client = createClient({ host });
    const sink = new FileSink();
    const options = { client, clock: host.clock, sink };
    await assert.rejects(host.drive(download('http://h/', options)), {
      code: 'CONNECTION_REFUSED',
    });
    assert.equal(host.clock.now(), 0);
  },
);

everywhere(
  'a server that contradicts itself about lengths is a named error, and nothing is finished',
  async (place) => {
    const cases = [
      partOf(FILE, 7, ETAG).replace('Content-Length: 13', 'Content-Length: 12'),
      partOf(FILE, 7, ETAG).replace(
        /Content-Length: 13([^]*)\r\n\r\n.*/,
        'Transfer-Encoding: chunked$1\r\n\r\ne\r\n789abcdefghijX\r\n0\r\n\r\n',
      ),
    ];
    for (const answer of cases) {
      const { get } = await scene(place, () => answer);
      const sink = new FileSink(FILE.slice(0, 7));
      await assert.rejects(get(sink, { partial: partial(7) }), { code: 'HTTP_LENGTH_MISMATCH' });
      assert.equal(sink.finished, undefined);
    }
    const short = partOf(FILE, 7, ETAG).replace(
      /Content-Length: 13([^]*)\r\n\r\n.*/,
      'Transfer-Encoding: chunked$1\r\n\r\n3\r\n789\r\n0\r\n\r\n',
    );
    const { get } = await scene(place, ({ index, text }) =>
      index === 0 ? short : partOf(FILE, rangeOf(text)!, ETAG),
    );
    const sink = new FileSink(FILE.slice(0, 7));
    await get(sink, { partial: partial(7) });
    assert.equal(sink.text, FILE);
  },
);

everywhere('a version whose length changes between two parts is refused', async (place) => {
  const sink = new FileSink();
  const { get } = await scene(place, (request) =>
    request.index === 0
      ? cutOff(response(FILE, ETAG).slice(0, -13))(request)
      : partOf(`${FILE}more`, 7, ETAG),
  );
  await assert.rejects(get(sink), { code: 'HTTP_LENGTH_MISMATCH' });
});

testIn(
  [memory, stacks],
  'a server that stalls is given up, and asked again for the rest',
  async (place) => {
    const { get, requests, host } = await scene(place, (request) => {
      const whole = server(request)!;
      return request.index === 0 ? whole.slice(0, -13) : whole;
    });
    const sink = new FileSink();
    await get(sink, { stallTimeout: 1000 });
    assert.equal(sink.text, FILE);
    assert.deepEqual(requests.map(rangeOf), [undefined, 7]);
    assert.equal(host.clock.now(), 1500);
    const silent = await scene(place, () => undefined);
    await assert.rejects(silent.get(new FileSink(), { stallTimeout: 1000, retries: 1 }), {
      code: 'HTTP_STALLED',
    });
    assert.equal(silent.host.clock.now(), 2500);
  },
);

everywhere('the time a sink takes is no stall', async (place) => {
  const { get, host, requests } = await scene(place, (request) => {
    const whole = server(request)!;
    const rest = host.clock.timer(() => request.connection.write(latin1(whole.slice(-5))));
    rest.set(host.clock.now() + 3000);
    return whole.slice(0, -5);
  });
  const sink = new FileSink();
  const write = sink.write.bind(sink);
  sink.write = (chunk, position) =>
    new Promise((resolve, reject) => {
      host.clock
        .timer(() => write(chunk, position).then(resolve, reject))
        .set(host.clock.now() + 5000);
    });
  await get(sink, { stallTimeout: 1000 });
  assert.equal(sink.text, FILE);
  assert.equal(requests.length, 1);
});

everywhere('a sink that fails ends the download with its error', async (place) => {
  const { get, host } = await scene(place, server);
  const sink = new FileSink();
  sink.write = () => Promise.reject(new Error('disk full'));
  await assert.rejects(get(sink), /disk full/);
  await host.idle();
  assert.equal(sink.finished, undefined);
});

everywhere('a checksum sees each byte once, from before too, and decides', async (place) => {
  const sums: string[] = [];
  const sink = new FileSink(FILE.slice(0, 7));
  let seen = '';
  const checksum = (right: string) => ({
    restart: (position: number) => {
      seen = sink.text.slice(0, position);
      sums.push(`restart ${position}`);
    },
    update: (chunk: Uint8Array) => void (seen += fromLatin1(chunk)),
    verify: () => Promise.resolve(seen === right),
  });
  const { get } = await scene(place, (request) => {
    const whole = server(request)!;
    return request.index === 0 ? cutOff(whole.slice(0, -5))(request) : whole;
  });
  await get(sink, { partial: partial(7), checksum: checksum(FILE) });
  assert.equal(seen, FILE);
  assert.deepEqual(sums, ['restart 7']);
  await get(sink, { partial: partial(20), checksum: checksum(FILE) });
  assert.deepEqual(sums, ['restart 7', 'restart 20']);
  sink.finished = undefined;
  await assert.rejects(get(sink, { partial: partial(20), checksum: checksum('other') }), {
    code: 'HTTP_CHECKSUM_MISMATCH',
  });
  assert.equal(sink.finished, undefined);
});

everywhere('redirects are followed, the range with them', async (place) => {
  const { get, requests } = await scene(place, (request) =>
    request.text.startsWith('GET /file ')
      ? 'HTTP/1.1 302 x\r\nLocation: http://mirror/other\r\nContent-Length: 0\r\n\r\n'
      : server(request),
  );
  const sink = new FileSink(FILE.slice(0, 7));
  const result = await get(sink, { partial: partial(7) });
  assert.equal(sink.text, FILE);
  assert.equal(result.url, 'http://mirror/other');
  assert.deepEqual(requests.map(rangeOf), [7, 7]);
});

everywhere('a status that is no answer is a named error', async (place) => {
  for (const status of ['404 Not Found', '500 x', '204 x', '206 x', '416 x', '304 x']) {
    const { get } = await scene(place, () => `HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`);
    await assert.rejects(get(new FileSink()), { code: 'HTTP_STATUS' }, status);
  }
});

everywhere('it can be aborted while asking, reading and waiting', async (place) => {
  for (const script of [
    () => undefined,
    () => response(FILE).slice(0, -5),
    cutOff('HTTP/1.1 2'),
  ] as Script[]) {
    const { get, host } = await scene(place, script);
    const controller = new AbortController();
    host.clock.timer(() => controller.abort()).set(100);
    await assert.rejects(get(new FileSink(), { signal: controller.signal }), { code: 'ABORTED' });
    assert.equal(host.clock.now(), 100);
  }
  const { get } = await scene(place, server);
  await assert.rejects(get(new FileSink(), { signal: AbortSignal.abort() }), { code: 'ABORTED' });
});

everywhere('the rate is that of the last seconds', async (place) => {
  const { get, host } = await scene(place, ({ connection }) => {
    let sent = 0;
    const tick = host.clock.timer(() => {
      connection.write(new Uint8Array(sent < 10 ? 100 : 1000));
      if (++sent < 30) tick.set(host.clock.now() + 1000);
    });
    tick.set(host.clock.now() + 1000);
    return 'HTTP/1.1 200 OK\r\nContent-Length: 21000\r\n\r\n';
  });
  const rates: number[] = [];
  const sink = new FileSink();
  await get(sink, { progress: ({ rate }) => rates.push(rate) });
  assert.equal(rates.length, 30);
  assert.equal(Math.round(rates[9]!), 100);
  assert.equal(Math.round(rates[29]!), 1000);
});
