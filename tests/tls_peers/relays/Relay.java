// SPDX-License-Identifier: Apache-2.0
// The relay over Java's JSSE: plaintext on standard input and output, TLS on a socket. ../stream.py has the protocol.
// JSSE updates its keys by itself once `limit` bytes have passed (jdk.tls.keyLimits), and asks the peer for the same.
import java.io.*;
import java.net.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.*;
import java.security.cert.*;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.*;
import javax.net.ssl.*;

public class Relay {
  static final DataInputStream commands = new DataInputStream(new BufferedInputStream(System.in));
  static final DataOutputStream reports = new DataOutputStream(new BufferedOutputStream(new FileOutputStream(FileDescriptor.out)));

  static synchronized void report(char kind, byte[] payload, int size) throws IOException {
    reports.writeByte(kind);
    reports.writeInt(size);
    reports.write(payload, 0, size);
    reports.flush();
  }

  static void report(char kind, String text) throws IOException {
    byte[] payload = text.getBytes(StandardCharsets.UTF_8);
    report(kind, payload, payload.length);
  }

  static Collection<? extends java.security.cert.Certificate> certificates(String file) throws Exception {
    try (InputStream in = new FileInputStream(file)) {
      return CertificateFactory.getInstance("X.509").generateCertificates(in);
    }
  }

  static PrivateKey key(String file) throws Exception {
    String body = Files.readString(Path.of(file)).replaceAll("-----[^-]+-----", "").replaceAll("\\s", "");
    return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(body)));
  }

  static KeyManager[] ours(Map<String, String> options) throws Exception {
    if (!options.containsKey("cert")) return null;
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    var chain = certificates(options.get("cert")).toArray(new java.security.cert.Certificate[0]);
    store.setKeyEntry("own", key(options.get("key")), new char[0], chain);
    KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(store, new char[0]);
    return factory.getKeyManagers();
  }

  static TrustManager[] trusted(String file) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    int count = 0;
    for (var one : certificates(file)) store.setCertificateEntry("ca" + count++, one);
    TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    return factory.getTrustManagers();
  }

  static void read(SSLSocket socket) throws IOException {
    byte[] buffer = new byte[65536];
    try {
      InputStream in = socket.getInputStream();
      for (int count; (count = in.read(buffer)) > 0; ) report('D', buffer, count);
      report('E', "close_notify");
    } catch (EOFException end) {
      report('E', "truncated");
    } catch (IOException problem) {
      Throwable cause = problem.getCause();
      report('E', cause instanceof EOFException ? "truncated" : "error: " + problem.getMessage());
    }
  }

  // Obeys commands until the next connection is wanted; false at the end of the input.
  static boolean obey(SSLSocket socket, Socket raw) throws IOException {
    try {
      while (true) {
        char kind = (char) commands.readUnsignedByte();
        byte[] payload = commands.readNBytes(commands.readInt());
        if (kind == 'D') write(socket, payload);
        if (kind == 'C') socket.shutdownOutput();
        if (kind == 'X' || kind == 'N') raw.close();
        if (kind == 'N') return true;
      }
    } catch (EOFException end) {
      return false;
    }
  }

  static void write(SSLSocket socket, byte[] payload) {
    try {
      socket.getOutputStream().write(payload);
    } catch (IOException gone) {
      return;  // the reader says how it ended
    }
  }

  static boolean serve(SSLSocket socket, Socket raw, Map<String, String> options) throws IOException {
    SSLParameters parameters = socket.getSSLParameters();
    parameters.setApplicationProtocols(new String[] {"http/1.1"});
    parameters.setProtocols(new String[] {"TLSv" + options.get("version")});
    parameters.setCipherSuites(new String[] {options.get("suite")});
    if (socket.getUseClientMode()) {
      parameters.setEndpointIdentificationAlgorithm("HTTPS");
    } else {
      parameters.setNeedClientAuth(options.containsKey("client_ca"));
    }
    socket.setSSLParameters(parameters);
    long began = System.currentTimeMillis();
    try {
      socket.startHandshake();
    } catch (IOException problem) {
      report('E', "error: " + problem.getMessage());
      return obey(socket, raw);
    }
    SSLSession session = socket.getSession();
    String kind = session.getCreationTime() < began ? "resumed" : "full";
    report('O', session.getProtocol() + " " + session.getCipherSuite() + " " + kind);
    Thread reader = new Thread(() -> {
      try {
        read(socket);
      } catch (IOException closed) {
        System.exit(1);
      }
    });
    reader.setDaemon(true);
    reader.start();
    return obey(socket, raw);
  }

  static SSLSocket client(SSLContext context, Socket raw, int port) throws IOException {
    SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(raw, "localhost", port, false);
    socket.setUseClientMode(true);
    return socket;
  }

  // An ordinary request whose answer brings a ticket.
  static void warmUp(SSLContext context, Map<String, String> options, int port) throws Exception {
    try (Socket raw = new Socket("127.0.0.1", port)) {
      SSLSocket socket = client(context, raw, port);
      SSLParameters parameters = socket.getSSLParameters();
      parameters.setProtocols(new String[] {"TLSv" + options.get("version")});
      parameters.setCipherSuites(new String[] {options.get("suite")});
      parameters.setEndpointIdentificationAlgorithm("HTTPS");
      socket.setSSLParameters(parameters);
      socket.getOutputStream().write("GET /ticket HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".getBytes());
      socket.getInputStream().readAllBytes();
      socket.close();
    }
    Thread.sleep(5);  // so that the creation times of both sessions differ
  }

  public static void main(String[] arguments) throws Exception {
    Map<String, String> options = new HashMap<>();
    for (String one : arguments) options.put(one.substring(0, one.indexOf('=')), one.substring(one.indexOf('=') + 1));
    if (options.containsKey("limit")) {
      String limit = options.get("limit");
      Security.setProperty("jdk.tls.keyLimits", "AES/GCM/NoPadding KeyUpdate " + limit + ", ChaCha20-Poly1305 KeyUpdate " + limit);
    }
    System.setProperty("com.sun.net.ssl.requireCloseNotify", "true");
    String ca = options.getOrDefault("ca", options.get("client_ca"));
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(ours(options), ca == null ? null : trusted(ca), null);
    if (options.get("role").equals("client")) {
      int port = Integer.parseInt(options.get("port"));
      if (options.containsKey("resume")) warmUp(context, options, port);
      Socket raw = new Socket("127.0.0.1", port);
      serve(client(context, raw, port), raw, options);
      System.exit(0);
    }
    ServerSocket listener = new ServerSocket(0, 8, InetAddress.getByName("127.0.0.1"));
    report('L', Integer.toString(listener.getLocalPort()));
    while (true) {
      Socket raw = listener.accept();
      SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(raw, null, false);
      socket.setUseClientMode(false);
      if (!serve(socket, raw, options)) System.exit(0);
    }
  }
}
