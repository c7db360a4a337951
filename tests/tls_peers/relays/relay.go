// SPDX-License-Identifier: Apache-2.0
// The relay over Go's crypto/tls: plaintext on standard input and output, TLS on a socket. ../stream.py has the protocol.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
)

var output sync.Mutex

func report(kind byte, payload []byte) {
	output.Lock()
	defer output.Unlock()
	head := make([]byte, 5)
	head[0] = kind
	binary.BigEndian.PutUint32(head[1:], uint32(len(payload)))
	os.Stdout.Write(append(head, payload...))
}

func fatal(err error) {
	report('E', []byte("error: "+err.Error()))
	os.Exit(1)
}

func must(err error) {
	if err != nil {
		fatal(err)
	}
}

func suiteNumber(name string) []uint16 {
	for _, suite := range tls.CipherSuites() {
		if suite.Name == name {
			return []uint16{suite.ID}
		}
	}
	fatal(errors.New("no suite " + name))
	return nil
}

func pool(file string) *x509.CertPool {
	pem, err := os.ReadFile(file)
	must(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return roots
}

func configuration(options map[string]string) *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}, ServerName: "localhost"}
	if options["version"] == "1.2" {
		config.MaxVersion = tls.VersionTLS12
		config.CipherSuites = suiteNumber(options["suite"])
	} else {
		config.MinVersion = tls.VersionTLS13
	}
	if options["cert"] != "" {
		pair, err := tls.LoadX509KeyPair(options["cert"], options["key"])
		must(err)
		config.Certificates = []tls.Certificate{pair}
	}
	if options["ca"] != "" {
		config.RootCAs, config.ClientCAs = pool(options["ca"]), pool(options["ca"])
	}
	if options["client_ca"] != "" {
		config.ClientCAs = pool(options["client_ca"])
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	config.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	return config
}

// An ordinary request whose answer brings a ticket.
func warmUp(address string, config *tls.Config) {
	connection, err := tls.Dial("tcp", address, config)
	must(err)
	fmt.Fprint(connection, "GET /ticket HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	io.Copy(io.Discard, connection)
	connection.Close()
}

func announce(connection *tls.Conn) {
	state := connection.ConnectionState()
	version := map[uint16]string{tls.VersionTLS12: "TLSv1.2", tls.VersionTLS13: "TLSv1.3"}[state.Version]
	kind := "full"
	if state.DidResume {
		kind = "resumed"
	}
	report('O', []byte(version+" "+tls.CipherSuiteName(state.CipherSuite)+" "+kind))
}

func read(connection *tls.Conn) {
	buffer := make([]byte, 65536)
	for {
		count, err := connection.Read(buffer)
		if count > 0 {
			report('D', buffer[:count])
		}
		switch {
		case err == nil:
			continue
		case errors.Is(err, io.EOF):
			report('E', []byte("close_notify"))
		case errors.Is(err, io.ErrUnexpectedEOF):
			report('E', []byte("truncated"))
		default:
			report('E', []byte("error: "+err.Error()))
		}
		return
	}
}

// Obeys commands until the next connection is wanted; false at the end of the input.
func obey(connection *tls.Conn, raw net.Conn) bool {
	head := make([]byte, 5)
	for {
		if _, err := io.ReadFull(os.Stdin, head); err != nil {
			return false
		}
		payload := make([]byte, binary.BigEndian.Uint32(head[1:]))
		if _, err := io.ReadFull(os.Stdin, payload); err != nil {
			return false
		}
		switch head[0] {
		case 'D':
			connection.Write(payload)
		case 'C':
			connection.CloseWrite()
		case 'X':
			raw.Close()
		case 'N':
			raw.Close()
			return true
		}
	}
}

func serve(connection *tls.Conn, raw net.Conn) bool {
	if err := connection.Handshake(); err != nil {
		report('E', []byte("error: "+err.Error()))
	} else {
		announce(connection)
		go read(connection)
	}
	return obey(connection, raw)
}

func main() {
	options := map[string]string{}
	for _, argument := range os.Args[1:] {
		name, value, _ := strings.Cut(argument, "=")
		options[name] = value
	}
	config := configuration(options)
	if options["role"] == "client" {
		address := "127.0.0.1:" + options["port"]
		if options["resume"] != "" {
			warmUp(address, config)
		}
		raw, err := net.Dial("tcp", address)
		must(err)
		serve(tls.Client(raw, config), raw)
		return
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	report('L', []byte(fmt.Sprint(listener.Addr().(*net.TCPAddr).Port)))
	for {
		raw, err := listener.Accept()
		must(err)
		if !serve(tls.Server(raw, config), raw) {
			return
		}
	}
}
