/**
 * Transactional outbox: an order and the job that follows from it are written in one transaction of the database; another
 * process brings the jobs to the queue. Killed anywhere between, nothing is lost: what was not brought is still there. And
 * nothing comes twice: the job's id is that of the row, and `unique: 'kept'` refuses an id for as long as its result is kept.
 */
import Database from 'libsql';

const db = new Database(process.env['DATABASE']!);
db.exec(`
  PRAGMA journal_mode = WAL;
  PRAGMA busy_timeout = 5000;
  CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, item TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, fn TEXT NOT NULL, args TEXT NOT NULL);
`);

const placeOrder = db.transaction((item: string) => {
  const { lastInsertRowid } = db.prepare('INSERT INTO orders (item) VALUES (?)').run(item);
  db.prepare('INSERT INTO outbox (fn, args) VALUES (?, ?)').run(
    'shipOrder',
    JSON.stringify([Number(lastInsertRowid)]),
  );
  return lastInsertRowid;
});

for (;;) {
  placeOrder('a book');
  await new Promise((resolve) => setTimeout(resolve, 5));
}
