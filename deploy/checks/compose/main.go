// Loads compose files as `docker compose config` does (schema, interpolation, references between services) with the
// library that Docker Compose itself uses, and prints the names of what is in them.
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
	options, err := cli.NewProjectOptions(os.Args[2:],
		cli.WithProfiles(strings.Split(os.Args[1], ",")), cli.WithResolvedPaths(true), cli.WithConsistency(true), cli.WithNormalization(true))
	if err == nil {
		project, problem := options.LoadProject(context.Background())
		if err = problem; err == nil {
			fmt.Println(strings.Join(project.ServiceNames(), " "))
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
