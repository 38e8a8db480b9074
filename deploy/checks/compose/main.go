// Loads compose files as `docker compose config` does (schema, interpolation, references between services) with the
// library that Docker Compose itself uses, and prints the resolved project as JSON.
//
//	compose PROFILE,PROFILE FILE...
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	options, err := cli.NewProjectOptions(os.Args[2:], cli.WithOsEnv,
		cli.WithProfiles(strings.Split(os.Args[1], ",")), cli.WithResolvedPaths(true), cli.WithConsistency(true), cli.WithNormalization(true))
	if err == nil {
		project, problem := options.LoadProject(context.Background())
		if err = problem; err == nil {
			var resolved []byte
			if resolved, err = project.MarshalJSON(); err == nil {
				fmt.Println(string(resolved))
			}
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
