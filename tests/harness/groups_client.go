// SPDX-License-Identifier: Apache-2.0
// A client that offers one key exchange group, by its number, and says which one the handshake used.
package main

import (
	"crypto/tls"
	"fmt"
	"os"
	"strconv"
)

func main() {
	number, err := strconv.Atoi(os.Args[2])
	if err != nil {
		panic(err)
	}
	config := &tls.Config{InsecureSkipVerify: true, ServerName: "a.test", CurvePreferences: []tls.CurveID{tls.CurveID(number)}}
	connection, err := tls.Dial("tcp", os.Args[1], config)
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	fmt.Println(uint16(connection.ConnectionState().CurveID))
}
