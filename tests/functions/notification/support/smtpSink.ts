import * as net from "node:net";
import * as tls from "node:tls";
import type { TestCertificate } from "./certificate";

/** A mail as the server got it. */
interface ReceivedMail {
  from: string;
  to: string[];
  /** The whole message, headers and body, with \n. */
  data: string;
  /** User and password of the login, if there was one. */
  login: { user: string; password: string } | undefined;
  encrypted: boolean;
}

/** How the server behaves. */
export interface SmtpSinkOptions {
  /** Offers STARTTLS with this certificate. @default no TLS */
  certificate?: TestCertificate;
  /** Demands this login. @default takes mail from anybody */
  login?: { user: string; password: string };
  /** Answer to the recipient. @default accepted */
  recipientAnswer?: string;
}

/** A mail server on this machine that keeps what it gets: as much of SMTP as nodemailer speaks. */
export interface SmtpSink {
  port: number;
  mails: ReceivedMail[];
  /** Everything that clients said, in order. */
  conversation: string[];
  stop(): Promise<void>;
}

export async function startSmtpSink(options: SmtpSinkOptions = {}): Promise<SmtpSink> {
  const mails: ReceivedMail[] = [];
  const conversation: string[] = [];
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.write("220 sink\r\n");
    converse(socket, false);
  });

  function converse(socket: net.Socket, encrypted: boolean): void {
    let buffer = "";
    let data: string[] | undefined;
    let login: ReceivedMail["login"];
    const newMail = (): ReceivedMail => ({ from: "", to: [], data: "", login, encrypted });
    let mail = newMail();
    const say = (text: string) => socket.write(`${text}\r\n`);
    const address = (line: string) => /<([^>]*)>/.exec(line)?.[1] ?? "";
    socket.on("error", () => socket.destroy());
    socket.on("data", function receive(chunk: Buffer) {
      buffer += chunk.toString("utf8");
      for (let end = buffer.indexOf("\r\n"); end >= 0; end = buffer.indexOf("\r\n")) {
        const line = buffer.slice(0, end);
        buffer = buffer.slice(end + 2);
        if (data) {
          if (line !== ".") {
            data.push(line.replace(/^\./, ""));
            continue;
          }
          mails.push({ ...mail, data: data.join("\n"), login });
          data = undefined;
          mail = newMail();
          say("250 kept");
          continue;
        }
        conversation.push(line);
        const command = line.slice(0, 4).toUpperCase();
        if (command === "EHLO") {
          if (options.certificate && !encrypted) say("250-STARTTLS");
          if (options.login) say("250-AUTH PLAIN");
          say("250 8BITMIME");
        } else if (command === "STAR" && options.certificate) {
          say("220 go ahead");
          socket.removeListener("data", receive);
          const { key, cert } = options.certificate;
          const secure = new tls.TLSSocket(socket, { isServer: true, key, cert });
          converse(secure, true);
          return;
        } else if (command === "AUTH") {
          const [, user = "", password = ""] = Buffer.from(line.split(" ")[2] ?? "", "base64")
            .toString()
            .split("\0");
          login = { user, password };
          const right = user === options.login?.user && password === options.login.password;
          say(right ? "235 welcome" : `535 ${user} ${password} is wrong`);
        } else if (command === "MAIL") {
          mail.from = address(line);
          say(options.login && !login ? "530 log in first" : "250 ok");
        } else if (command === "RCPT") {
          mail.to.push(address(line));
          say(options.recipientAnswer ?? "250 ok");
        } else if (command === "DATA") {
          data = [];
          say("354 go on");
        } else if (command === "QUIT") {
          say("221 bye");
          socket.end();
        } else {
          say("502 not known");
        }
      }
    });
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    mails,
    conversation,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
