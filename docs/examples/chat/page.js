// The page of the chat. It remembers the id of the last message that it saw in each room, and when its connection is
// lost it comes back, to whichever process answers, and asks for what it missed.

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;

const element = (id) => document.getElementById(id);
const [messages, people, status, state] = ['messages', 'people', 'status', 'state'].map(element);
const main = document.querySelector('main');

let me = sessionStorage.getItem('name') ?? '';
let socket;
let retries = 0;
let timer;
/** The id of the last message seen in this room, and who said it. */
let last = { id: undefined, name: undefined };

const room = () => location.hash.slice(1) || 'general';

function connect() {
  clearTimeout(timer);
  const mine = new WebSocket(`${location.origin.replace('http', 'ws')}/chat`);
  socket = mine;
  mine.onopen = () => mine.send(JSON.stringify({ type: 'hello', name: me, room: room(), after: last.id }));
  mine.onmessage = ({ data }) => mine === socket && handlers[JSON.parse(data).type]?.(JSON.parse(data));
  mine.onclose = () => mine === socket && comeBack();
}

/** After a while that is longer each time, and different for each page: not all come at once. */
function comeBack() {
  const wait = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** retries++) * (0.5 + Math.random() / 2);
  showState('closed', 'reconnecting');
  timer = setTimeout(connect, wait);
}

const handlers = {
  welcome({ process }) {
    retries = 0;
    showState('open', `process ${process}`);
  },
  said({ id, name, text, at }) {
    last = { id, name: addMessage(name, text, at) };
  },
  people({ names }) {
    people.querySelector('ul').replaceChildren(...names.map(createPerson));
  },
  gap() {
    addNote('Some messages are too old to be shown.');
  },
  refused({ text }) {
    addNote(`This was not sent: ${text}`);
  },
};

function showState(name, text) {
  status.dataset.state = name;
  state.textContent = text;
}

function createPerson(name) {
  const item = document.createElement('li');
  item.textContent = name;
  item.dataset.initial = [...name][0].toUpperCase();
  item.classList.toggle('me', name === me);
  return item;
}

/** What people say is text, and never markup. */
function addMessage(name, text, at) {
  const item = document.createElement('li');
  const head = document.createElement('header');
  const time = document.createElement('time');
  const date = new Date(at);
  time.dateTime = date.toISOString();
  time.textContent = date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  head.append(name === me ? 'You' : name, time);
  item.append(head, text);
  item.classList.toggle('mine', name === me);
  item.classList.toggle('first', name !== last.name);
  append(item);
  return name;
}

function addNote(text) {
  const item = document.createElement('li');
  item.textContent = text;
  item.className = 'note';
  append(item);
  last.name = undefined;
}

/** Whoever reads further up is left there. */
function append(item) {
  const isAtEnd = main.scrollHeight - main.scrollTop - main.clientHeight < 80;
  messages.append(item);
  if (isAtEnd) main.scrollTop = main.scrollHeight;
}

function enterRoom() {
  last = { id: undefined, name: undefined };
  messages.replaceChildren();
  for (const link of element('rooms').children) {
    if (link.hash.slice(1) === room()) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  socket?.close();
  connect();
}

element('say').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = element('text').value.trim();
  if (text === '' || socket?.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify({ type: 'say', text }));
  element('text').value = '';
});

element('who').addEventListener('close', () => {
  me = element('name').value.trim();
  if (me === '') return element('who').showModal();
  sessionStorage.setItem('name', me);
  enterRoom();
});

addEventListener('hashchange', enterRoom);
if (me === '') element('who').showModal();
else enterRoom();
