/** Random expressions in the language of pcap-filter(7), about what is in the frames of `random-frames.ts`. */
import * as fc from 'fast-check';
import { IPV4S, IPV6S, MACS, PORTS, VLANS } from './random-frames.ts';

type Text = fc.Arbitrary<string>;

function words(...values: (string | number)[]): Text {
  return fc.constantFrom(...values).map(String);
}

function join(...parts: (Text | string)[]): Text {
  const texts = parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part));
  return fc.tuple(...texts).map((them) => them.filter((text) => text !== '').join(' '));
}

const direction = words('', '', 'src', 'dst', 'src or dst', 'dst or src', 'src and dst');

const network4 = words('192.0.2.0/24', '10', '10.1', '192.0.2', '224.0.0.0/4', '0.0.0.0/0');
const network6 = words('2001:db8::/32', 'fe80::/10', '2001:db8::/33', 'ff02::fb/128', '::/0');

const address = fc.oneof(
  join(words('', 'ip', 'arp', 'rarp'), direction, 'host', words(...IPV4S)),
  join(words('', 'ip6'), direction, 'host', words(...IPV6S)),
  join(words('', 'ip', 'arp'), direction, 'net', network4),
  join(words('', 'ip6'), direction, 'net', network6),
  join(words('', 'ip'), words('src', 'dst'), words(...IPV4S)),
  join(direction, 'host', words(...IPV4S), words('and', 'or', 'or not'), words(...IPV4S)),
);

const port = fc.oneof(
  join(words('', 'tcp', 'udp', 'sctp'), direction, 'port', words(...PORTS, 'domain')),
  join(words('', 'tcp'), direction, 'port', words(...PORTS), words('and', 'or'), words(...PORTS)),
  join(direction, 'port (', words(...PORTS), 'or', words(...PORTS), 'or', words(...PORTS), ')'),
  join(words('', 'udp'), direction, 'portrange', words('0-80', '443-50000', '90-53', '80')),
);

const ipProtocols = words('ip', 'ip6', 'tcp', 'udp', 'sctp', 'icmp', 'icmp6', 'igmp', 'pim', 'esp');
const number = fc.oneof(
  join(words('', 'ip', 'ip6'), 'proto', words('\\tcp', '\\udp', '\\icmp', 6, 44, 58, 300)),
);
const etherNumber = join(
  'ether proto',
  words('\\ip', '\\arp', '\\ip6', '0x1234', '0x8100', '0x42', 6, '0xfe', 100),
);

const link = fc.oneof(
  join(
    'ether',
    direction.filter((text) => text !== ''),
    words(...MACS),
  ),
  join('ether', direction, 'host', words(...MACS)),
  words('broadcast', 'multicast', 'ether broadcast', 'ether multicast', 'arp', 'rarp', 'stp'),
  etherNumber,
);

const size = words('', ':1', ':2', ':4');
const constant = words(
  0,
  1,
  2,
  3,
  4,
  6,
  13,
  20,
  255,
  '0x0f',
  '017',
  'tcp-syn',
  'icmptype',
  'tcpflags',
);
/** Where in a header: a load in the index is of the same protocol, for the reason given below. */
function index(protocol: string): Text {
  return fc.oneof(
    { weight: 4, arbitrary: words(0, 1, 2, 6, 8, 9, 12, 13, 16, 20, 40, 60, 200) },
    words('0 - 4', '0 - 20', '2 + 2 * 3', '4294967290', `(${protocol}[0] & 0xf) << 2`, 'len - 4'),
  );
}

/** libpcap asks for the protocol of the left operand only, so the right one is of the same, or no load. */
function value(protocol: string): Text {
  const load = fc.tuple(index(protocol), size).map(([at, bytes]) => `${protocol}[${at}${bytes}]`);
  const leaf = fc.oneof({ weight: 3, arbitrary: load }, constant, words('len'));
  const operator = words('+', '-', '*', '/', '&', '|', '<<', '>>');
  const ranked = fc
    .tuple(load, fc.array(fc.tuple(operator, leaf), { minLength: 1, maxLength: 3 }))
    .map(([first, rest]) => [first, ...rest.flat()].join(' '));
  const unranked = fc.tuple(load, words('%', '^'), leaf).map((them) => `(${them.join(' ')})`);
  const negative = load.map((text) => `-${text}`);
  const nested = fc.tuple(load, operator, ranked).map(([a, o, b]) => `${a} ${o} (${b})`);
  // What is divided by, or shifted by, must not be seen to be 0 or too much.
  return fc
    .oneof(load, ranked, unranked, negative, nested)
    .filter((text) => !/[/%] (0|icmptype)\b|(<<|>>) (255)\b/.test(text));
}

const relation = words('=', '!=', '<', '<=', '>', '>=', '==').chain((sign) =>
  words('ip', 'ip6', 'arp', 'tcp', 'udp', 'icmp', 'icmp6', 'ether')
    .chain((protocol) => fc.tuple(value(protocol), fc.oneof(constant, value(protocol))))
    .map(([left, right]) => `${left} ${sign} ${right}`),
);
const lengths = fc.oneof(
  join(words('less', 'greater'), words(20, 60, 74, 100)),
  words('len > 60', 'len - 14 = 28', '60 <= len', 'len % 2 = 0'),
);

const anywhere = fc.oneof(
  { weight: 3, arbitrary: address },
  { weight: 3, arbitrary: port },
  ipProtocols,
  number,
  words('ip multicast', 'ip6 multicast'),
  { weight: 3, arbitrary: relation },
  lengths,
);
const vlan = join('vlan', words('', ...VLANS));

function combined(primitive: Text, depth: number): Text {
  if (depth === 0) return primitive;
  const inner = combined(primitive, depth - 1);
  const item = fc.oneof(
    { weight: 3, arbitrary: primitive },
    inner.map((text) => `(${text})`),
    inner.map((text) => `not (${text})`),
    primitive.map((text) => `! ${text}`),
  );
  const connection = words('and', 'or', '&&', '||');
  return fc
    .tuple(item, fc.array(fc.tuple(connection, item), { maxLength: 3 }))
    .map(([first, rest]) => [first, ...rest.flat()].join(' '));
}

/** About Ethernet frames. */
export const expression: Text = combined(
  fc.oneof({ weight: 6, arbitrary: anywhere }, link, vlan),
  2,
);

/** About packets without a frame. */
export const rawExpression: Text = combined(anywhere, 1);
