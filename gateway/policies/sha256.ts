/**
 * SHA-256 without a promise, for short inputs. `crypto.subtle` hashes in another thread: for 1 kB the way there and back takes
 * several times as long as the hash (Deno, 2 busy cores: over 300 us, and 5 us here; November 2026).
 *
 * @see https://csrc.nist.gov/pubs/fips/180-4/upd1/final (sections 4.1.2, 4.2.2, 5.1.1, 5.3.3 and 6.2.2)
 */

/** The first 32 bits of the fractions of the roots of the first 64 primes: of the cube roots, and of the first 8 square roots. */
const [ROUND, START] = constants();

function constants(): [Uint32Array, Uint32Array] {
  const cubes = new Uint32Array(64), squares = new Uint32Array(8);
  const fraction = (root: number) => (root - Math.floor(root)) * 2 ** 32;
  const primes: number[] = [];
  for (let number = 2; primes.length < 64; number++) {
    if (primes.some((prime) => number % prime === 0)) continue;
    if (primes.length < 8) squares[primes.length] = fraction(Math.sqrt(number));
    cubes[primes.length] = fraction(Math.cbrt(number));
    primes.push(number);
  }
  return [cubes, squares];
}

const BLOCK = 64;

/** The SHA-256 of some bytes, as hexadecimal digits. */
export function sha256(bytes: Uint8Array): string {
  // The padding: a bit, zeros, and the length in bits.
  const padded = new Uint8Array(Math.ceil((bytes.length + 9) / BLOCK) * BLOCK);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(padded.length - 4, bytes.length << 3);
  const sums = START.slice(), words = new Int32Array(64);
  for (let at = 0; at < padded.length; at += BLOCK) addBlock(sums, words, view, at);
  let digits = "";
  for (const sum of sums) digits += sum.toString(16).padStart(8, "0");
  return digits;
}

const turned = (word: number, by: number) => word >>> by | word << (32 - by);

/** Adds a block to the sums. @param words Memory for the message schedule. */
function addBlock(sums: Uint32Array, words: Int32Array, view: DataView, from: number): void {
  for (let at = 0; at < 16; at++) words[at] = view.getInt32(from + 4 * at);
  for (let at = 16; at < 64; at++) {
    const early = words[at - 15], late = words[at - 2];
    const small0 = turned(early, 7) ^ turned(early, 18) ^ early >>> 3;
    const small1 = turned(late, 17) ^ turned(late, 19) ^ late >>> 10;
    words[at] = words[at - 16] + small0 + words[at - 7] + small1;
  }
  let a = sums[0], b = sums[1], c = sums[2], d = sums[3];
  let e = sums[4], f = sums[5], g = sums[6], h = sums[7];
  for (let at = 0; at < 64; at++) {
    const big1 = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25);
    const first = h + big1 + (e & f ^ ~e & g) + ROUND[at] + words[at] | 0;
    const big0 = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22);
    const second = big0 + (a & b ^ a & c ^ b & c) | 0;
    h = g;
    g = f;
    f = e;
    e = d + first | 0;
    d = c;
    c = b;
    b = a;
    a = first + second | 0;
  }
  sums[0] += a;
  sums[1] += b;
  sums[2] += c;
  sums[3] += d;
  sums[4] += e;
  sums[5] += f;
  sums[6] += g;
  sums[7] += h;
}
