package scratch

import (
	"context"
	"os"
	"os/exec"

	"todo.local/magefiles/internal/run"
)

// needs are what source mode uses of this machine besides Go and Docker, by Debian package, each with a check that it
// is there.
var needs = []struct {
	pkg   string
	there func(ctx context.Context, r run.Runner) bool
}{
	{"mmdebstrap", onPath("mmdebstrap")},
	{"debian-archive-keyring", func(context.Context, run.Runner) bool { _, err := os.Stat(debianKeyring); return err == nil }},
	{"gcc", onPath("gcc")},
	{"libc6-dev", links("-lc")},
	{"pkg-config", onPath("pkg-config")},
	{"libseccomp-dev", links("-lseccomp")},
	{"python3-pip", func(ctx context.Context, r run.Runner) bool {
		_, err := run.Output(ctx, r, "python3", "-m", "pip", "--version")
		return err == nil
	}},
}

// Missing gives the Debian and Ubuntu packages that building from source takes, besides Go and Docker, and whose
// programs and libraries this machine lacks, however they came here. It takes a second at most.
func Missing(ctx context.Context, r run.Runner) []string {
	var out []string
	for _, n := range needs {
		if !n.there(ctx, r) {
			out = append(out, n.pkg)
		}
	}
	return out
}

func onPath(program string) func(context.Context, run.Runner) bool {
	return func(context.Context, run.Runner) bool { _, err := exec.LookPath(program); return err == nil }
}

// links tells whether a static library is where the compiler finds it: gcc prints a bare name back for a file that it
// does not know.
func links(flag string) func(context.Context, run.Runner) bool {
	file := "lib" + flag[len("-l"):] + ".a"
	return func(ctx context.Context, r run.Runner) bool {
		path, err := run.Output(ctx, r, "gcc", "-print-file-name="+file)
		return err == nil && path != file
	}
}
