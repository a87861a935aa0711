// SPDX-License-Identifier: Apache-2.0
// What one hospital's systems say over HL7 v2, as one story in the order it happened; and the same
// story as it arrives: late, twice, out of order. Both follow from the seed.

// mulberry32: small, and the same on every machine.
export function chance(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return { next, below: (n) => Math.floor(next() * n), one: (list) => list[Math.floor(next() * list.length)] };
}

const FAMILIES = ['Ashworth', 'Bell', 'Chowdhury', 'Dunn', 'Eze', "O'Neil", 'Gill', 'Hussain', 'M\\T\\S', 'Jones'];
const GIVENS = ['Anna', 'Ben', 'Chidi', 'Dilys', 'Eve', 'Femi', 'Zoë', 'Hari', 'Ida', 'Jack'];
const TESTS = ['718-7^Haemoglobin^LN', '2951-2^Sodium^LN', '2823-3^Potassium^LN', '1988-5^CRP^LN', '2160-0^Creatinine^LN'];
const START_MS = Date.UTC(2026, 0, 1);
const stamp = (ms) => new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14);

class Hospital {
  constructor(count, seed) {
    Object.assign(this, { dice: chance(seed), number: 0, made: 0, people: [], free: [] });
    this.most = Math.max(20, Math.ceil(count / 60));
    for (let bed = 0; bed < Math.max(8, Math.ceil(this.most / 4)); bed++) this.free.push(`W${bed % 9}^R${bed % 4}^B${bed}`);
  }

  // MSH-7 and EVN-2 are two seconds apart from message to message: no two happen at one moment.
  say(kind, ...segments) {
    const at = stamp(START_MS + this.number * 2000);
    const [type, event] = kind.split('^');
    const evn = type === 'ADT' ? [`EVN|${event}|${at}`] : [];
    const text = [`MSH|^~\\&|PAS|RXX|FL|W|${at}||${kind}|N${this.number}|P|2.4||||||UNICODE UTF-8`, ...evn,
                  ...segments.filter(Boolean)].join('\r') + '\r';
    return { number: this.number++, text };
  }

  now() { return stamp(START_MS + this.number * 2000); }

  // What the person is said to be; parts are sometimes left out, the telephone sometimes taken away.
  pid(person, whole = false) {
    const { dice } = this;
    const part = (text) => (whole || dice.next() < 0.7 ? text : '');
    const phone = part(dice.next() < 0.2 ? '""' : `0113${person.mrn}${dice.below(9)}`);
    return `PID|1||${person.mrn}^^^RXX^MR${person.second ? `~${person.second}^^^GP^PI` : ''}||` +
      `${part(`${dice.one(FAMILIES)}^${person.given}`)}||${part(person.born)}|${part(person.sex)}|||` +
      `${part(`${dice.below(99)} High Street^^Leeds^^LS${dice.below(20)} 1AA`)}||${phone}|`;
  }

  pv1(visit, from = '') {
    return `PV1|1|${visit.class}|${visit.bed}|||${from}${'|'.repeat(13)}${visit.number}${'|'.repeat(25)}${visit.began}`;
  }

  newcomer() {
    const { dice } = this;
    const person = { mrn: `H${++this.made}`, given: dice.one(GIVENS), sex: dice.one(['M', 'F', 'U']), orders: [], papers: [],
                     bookings: [], visits: 0, born: `19${10 + dice.below(90)}0${1 + dice.below(9)}1${dice.below(9)}`,
                     second: dice.next() < 0.3 ? `G${this.made}` : '' };
    this.people.push(person);
    return this.say('ADT^A28', this.pid(person, true));
  }

  arrive(person) {
    const bed = this.free.splice(this.dice.below(this.free.length), 1)[0];
    const planned = person.planned;
    person.visit = planned ?? { number: `V${person.mrn}-${++person.visits}`, class: 'I', began: '' };
    Object.assign(person.visit, { bed, began: this.now(), moves: [], open: true, last: 'A01' });
    person.planned = undefined;
    return this.say('ADT^A01', this.pid(person), this.pv1(person.visit));
  }

  plan(person) {
    person.planned = { number: `V${person.mrn}-${++person.visits}`, class: 'I', bed: '', began: '' };
    return this.say('ADT^A05', this.pid(person), this.pv1(person.planned));
  }

  register(person) {
    const visit = { number: `V${person.mrn}-${++person.visits}`, class: 'O', bed: 'OPD', began: this.now() };
    return this.say('ADT^A04', this.pid(person), this.pv1(visit));
  }

  move(person) {
    const visit = person.visit, from = visit.bed;
    visit.moves.push(from);
    visit.bed = this.free.splice(this.dice.below(this.free.length), 1)[0];
    this.free.push(from);
    visit.last = 'A02';
    return this.say('ADT^A02', this.pid(person), this.pv1(visit, this.dice.next() < 0.5 ? from : ''));
  }

  moveBack(person) {
    const visit = person.visit, from = visit.bed, to = visit.moves.pop();
    this.free.splice(this.free.indexOf(to), 1);
    this.free.push(from);
    Object.assign(visit, { bed: to, last: 'A12' });
    return this.say('ADT^A12', this.pid(person), this.pv1(visit, from));
  }

  leave(person, event) {
    const visit = person.visit;
    this.free.push(visit.bed);
    Object.assign(visit, { open: false, last: event });
    return this.say(`ADT^${event}`, this.pid(person), this.pv1(visit));
  }

  comeBack(person) {
    const visit = person.visit;
    this.free.splice(this.free.indexOf(visit.bed), 1);
    Object.assign(visit, { open: true, last: 'A13' });
    return this.say('ADT^A13', this.pid(person), this.pv1(visit));
  }

  results(person) {
    const { dice } = this;
    const again = person.orders.length && dice.next() < 0.3;
    const order = again ? dice.one(person.orders) : { number: `F${person.mrn}-${person.orders.length}`, tests: 1 + dice.below(5) };
    if (!again) person.orders.push(order);
    const status = again ? dice.one(['C', 'C', 'F', 'D', 'W']) : dice.one(['P', 'F', 'F']);
    const rows = TESTS.slice(0, order.tests).map((test, i) =>
      `OBX|${i + 1}|NM|${test}||${dice.below(900) / 10}|mmol/L^^UCUM|3.5-5.0|${dice.one(['N', 'H', 'L'])}|||${status}|||${this.now()}`);
    return this.say('ORU^R01', this.pid(person), `OBR|1||${order.number}|PROF^Profile^L|||${this.now()}${'|'.repeat(15)}${this.now()}|||${status}`,
                    ...rows);
  }

  paper(person) {
    const { dice } = this;
    const again = person.papers.length && dice.next() < 0.3;
    const number = again ? dice.one(person.papers) : `D${person.mrn}-${person.papers.length}`;
    if (!again) person.papers.push(number);
    return this.say('MDM^T02', this.pid(person), `TXA|1|CLN^Letter^L|TX||${this.now()}||||||${again ? '' : ''}|${number}|||||AU`,
                    `OBX|1|TX|^Letter||Text ${dice.below(1e6)}||||||F`);
  }

  booking(person) {
    const { dice } = this;
    const open = person.bookings.filter((b) => b.open);
    const old = open.length && dice.next() < 0.5 ? dice.one(open) : undefined;
    const one = old ?? { number: `A${person.mrn}-${person.bookings.length}`, open: true };
    if (!old) person.bookings.push(one);
    const event = old ? dice.one(['S13', 'S14', 'S15', 'S26']) : 'S12';
    one.open = event !== 'S15' && event !== 'S26';
    const day = 1 + dice.below(28);
    const when = `202611${String(day).padStart(2, '0')}`;
    return this.say(`SIU^${event}`, `SCH|${one.number}|${one.number}|||||REVIEW^Review ${dice.below(9)}|||15|^^15^${when}090000^${when}091500`,
                    this.pid(person));
  }

  merge(person) {
    const gone = this.people.findIndex((p) => p !== person && !p.visit?.open && !p.planned);
    if (gone < 0) return undefined;
    const [retired] = this.people.splice(gone, 1);
    return this.say('ADT^A40', this.pid(person), `MRG|${retired.mrn}^^^RXX^MR`);
  }

  next() {
    const { dice } = this;
    if (this.people.length < 4 || (this.made < this.most && dice.next() < 0.03)) return this.newcomer();
    const person = dice.one(this.people), roll = dice.next();
    const visit = person.visit;
    if (roll < 0.16) return this.results(person);
    if (roll < 0.21) return this.paper(person);
    if (roll < 0.29) return this.booking(person);
    if (roll < 0.36) return this.say('ADT^A31', this.pid(person));
    if (roll < 0.37) return this.register(person);
    if (roll < 0.38) return this.merge(person);
    if (!visit?.open) {
      if (visit?.last === 'A03' && roll < 0.5 && this.free.includes(visit.bed)) return this.comeBack(person);
      if (!person.planned && roll < 0.55) return this.plan(person);
      return this.free.length ? this.arrive(person) : undefined;
    }
    if (roll < 0.65) return this.say('ADT^A08', this.pid(person), this.pv1(visit));
    if (roll < 0.8) return this.free.length ? this.move(person) : undefined;
    if (roll < 0.85 && visit.last === 'A02' && this.free.includes(visit.moves.at(-1))) return this.moveBack(person);
    if (roll < 0.88 && visit.last === 'A01') return this.leave(person, 'A11');
    return this.leave(person, 'A03');
  }
}

export function* inOrder(count, seed) {
  const hospital = new Hospital(count, seed);
  for (let made = 0; made < count;) {
    const message = hospital.next();
    if (!message) continue;
    made++;
    yield message;
  }
}

// Most come within a few dozen of their place, some long after it, some twice.
export function* disordered(count, seed) {
  const dice = chance(seed ^ 0x5eed), at = new Map();
  let place = 0, last = 0;
  const put = (message, delay) => {
    const when = place + delay;
    last = Math.max(last, when);
    if (!at.has(when)) at.set(when, []);
    at.get(when).push(message);
  };
  const emit = function* () {
    const now = at.get(place) ?? [];
    at.delete(place++);
    yield* now;
  };
  for (const message of inOrder(count, seed)) {
    put(message, dice.below(dice.next() < 0.03 ? 2000 : 40));
    if (dice.next() < 0.05) put(message, dice.below(500));
    yield* emit();
  }
  while (place <= last) yield* emit();
}
