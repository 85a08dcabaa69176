// SPDX-License-Identifier: Apache-2.0
// The same client as tests/client/src/ech.rs over Go's crypto/tls, an implementation of its own:
//
//	ech_client PORT NAME LIST PATH [COUNT] [h2|p384|cert:FILE]...
//
// LIST may be "-". FILE holds a certificate and its key.
package main

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

func visit(config *tls.Config, port, name, path string) (string, error) {
	socket, err := net.DialTimeout("tcp", "127.0.0.1:"+port, 20*time.Second)
	if err != nil {
		return "", err
	}
	defer socket.Close()
	socket.SetDeadline(time.Now().Add(20 * time.Second))
	conn := tls.Client(socket, config)
	if err := conn.Handshake(); err != nil {
		return "", err
	}
	state := conn.ConnectionState()
	ech, kind, alpn := "notoffered", "full", state.NegotiatedProtocol
	if state.ECHAccepted {
		ech = "accepted"
	}
	if state.DidResume {
		kind = "resumed"
	} else if state.HelloRetryRequest {
		kind = "retried"
	}
	if alpn == "h2" {
		return fmt.Sprintf("%s %s h2 - -", ech, kind), nil
	}
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, name)
	answer, err := io.ReadAll(conn)
	if err != nil {
		return "", err
	}
	lines := strings.Split(strings.TrimRight(string(answer), "\r\n"), "\n")
	status := strings.Split(lines[0]+" -", " ")[1]
	return fmt.Sprintf("%s %s %s %s %s", ech, kind, alpn, status, lines[len(lines)-1]), nil
}

func main() {
	words := os.Args[1:]
	if len(words) < 4 {
		fmt.Fprintln(os.Stderr, "ech_client PORT NAME LIST PATH [COUNT] [h2|p384|cert:FILE]...")
		os.Exit(2)
	}
	config := &tls.Config{
		ServerName:         words[1],
		InsecureSkipVerify: true,
		MinVersion:         tls.VersionTLS13,
		NextProtos:         []string{"http/1.1"},
		ClientSessionCache: tls.NewLRUClientSessionCache(8),
	}
	count := 1
	for _, word := range words[4:] {
		switch number, err := strconv.Atoi(word); {
		case err == nil:
			count = number
		case word == "h2":
			config.NextProtos = []string{"h2"}
		case word == "p384":
			config.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP384}
		case strings.HasPrefix(word, "cert:"):
			pair, err := tls.LoadX509KeyPair(word[5:], word[5:])
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(2)
			}
			config.Certificates = []tls.Certificate{pair}
		}
	}
	if words[2] != "-" {
		list, err := base64.StdEncoding.DecodeString(words[2])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		config.EncryptedClientHelloConfigList = list
		// Of a refusal nothing but its list counts here.
		config.EncryptedClientHelloRejectionVerify = func(tls.ConnectionState) error { return nil }
	}
	for range count {
		line, err := visit(config, words[0], words[1], words[3])
		var refused *tls.ECHRejectionError
		switch {
		case err == nil:
			fmt.Println(line)
		case errors.As(err, &refused):
			list := "-"
			if len(refused.RetryConfigList) > 0 {
				list = hex.EncodeToString(refused.RetryConfigList)
			}
			fmt.Println("rejected", list)
		default:
			fmt.Println("failed", err)
		}
	}
}
