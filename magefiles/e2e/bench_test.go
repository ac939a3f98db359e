//go:build bench

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// benchRounds is how often a short measurement is taken; its median counts.
const benchRounds = 3

// figure is one thing that was measured, in seconds: with the targets, and with scripts.
type figure struct {
	Name             string
	Targets, Scripts float64
}

// moved is what deploy says of the backend image's way to the node.
var moved = regexp.MustCompile(`transport of todo-backend: .* MB moved \((\d+\.\d+)s\)`)

// TestBench measures what people wait for, against scripts that do the same: kind create, helm install of what minikube
// has as add-ons, docker build, kind load, helm upgrade and kubectl wait, one after the other. Both run on this machine
// in one run, with warm caches: the ratios count, not the seconds. The result goes to docs/bench.md and .svg.
func TestBench(t *testing.T) {
	project := here(t)
	run := time.Now().Unix() // no change may be one that was built in an earlier run
	require.Zero(t, project.mage(t, nil, "cluster:delete").code)
	t.Cleanup(func() { project.mage(t, nil, "cluster:delete") })
	require.Zero(t, project.mage(t, nil, "image:build").code)

	warm := deployed(t, project).took
	measured := slices.Concat(weights(t, running(t)), innerTimes(t, project), scores(t, project))
	noop := median(t, func(int) time.Duration { return deployed(t, project).took })
	var transports []time.Duration
	ours := copyOf(t, project)
	backend := median(t, func(n int) time.Duration {
		appendTo(t, ours, "backend/src/main.py", fmt.Sprintf("\n# bench %d of %d\n", n, run))
		r := deployed(t, ours)
		found := moved.FindStringSubmatch(r.output)
		require.NotNil(t, found)
		seconds, err := strconv.ParseFloat(found[1], 64)
		require.NoError(t, err)
		transports = append(transports, time.Duration(seconds*float64(time.Second)))
		return r.took
	})
	frontend := median(t, func(n int) time.Duration {
		appendTo(t, ours, "frontend/src/lib/config.ts", fmt.Sprintf("\nexport const bench%d = %d;\n", n, run))
		return deployed(t, ours).took
	})

	// Stopped, not deleted: a file system that has just deleted a cluster's files may be slow to make others.
	access := running(t).access
	require.Zero(t, project.mage(t, nil, "cluster:down").code)
	s := newScripts(t, copyOf(t, project))
	scriptsWarm := s.setup(t, access) + s.deploy(t)
	scriptsNoop := median(t, func(int) time.Duration { return s.deploy(t) })
	s.loads = nil
	scriptsBackend := median(t, func(n int) time.Duration {
		appendTo(t, s.checkout, "backend/src/main.py", fmt.Sprintf("\n# scripts %d of %d\n", n, run))
		return s.deploy(t)
	})
	loads := slices.Clone(s.loads)
	scriptsFrontend := median(t, func(n int) time.Duration {
		appendTo(t, s.checkout, "frontend/src/lib/config.ts", fmt.Sprintf("\nexport const scripts%d = %d;\n", n, run))
		return s.deploy(t)
	})
	report(t, project, []figure{
		{"no cluster yet, warm caches", warm.Seconds(), scriptsWarm.Seconds()},
		{"nothing changed", noop.Seconds(), scriptsNoop.Seconds()},
		{"a line of the backend changed", backend.Seconds(), scriptsBackend.Seconds()},
		{"a line of the frontend changed", frontend.Seconds(), scriptsFrontend.Seconds()},
		{"transport of a changed backend", middle(transports).Seconds(), middle(loads).Seconds()},
	}, measured)
}

func deployed(t *testing.T, c checkout) result {
	t.Helper()
	r := c.mage(t, nil, "deploy")
	require.Zero(t, r.code)
	return r
}

func median(t *testing.T, measure func(n int) time.Duration) time.Duration {
	t.Helper()
	var all []time.Duration
	for n := range benchRounds {
		all = append(all, measure(n))
	}
	return middle(all)
}

func middle(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// report prints what was measured and keeps it in the checkout, as a chart and as tables.
func report(t *testing.T, project checkout, figures []figure, weights []weight) {
	var b strings.Builder
	fmt.Fprintf(&b, "# What a deploy takes, and what the application weighs\n\nWritten by `go tool mage bench`, on a machine with %d cores. ", runtime.NumCPU())
	b.WriteString(`The ratios count: both columns were measured in one run, with warm caches.
Scripts do each step in turn, with kind, helm and docker: create the cluster, install the ingress controller and the metrics server, build both images,
load every image, upgrade the release, restart the pods, wait for them.

| | targets | scripts | ratio |
| --- | ---: | ---: | ---: |
`)
	for _, f := range figures {
		fmt.Fprintf(&b, "| %s | %.1f s | %.1f s | %.1f |\n", f.Name, f.Targets, f.Scripts, f.Scripts/f.Targets)
	}
	b.WriteString("\n| | measured | goal |\n| --- | ---: | ---: |\n")
	for _, w := range weights {
		goal := "≤ " + quantity(w.Goal, w.Unit)
		switch {
		case w.Least:
			goal = "≥ " + quantity(w.Goal, w.Unit)
		case w.Goal == 0:
			goal = "" // for comparison
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", w.Name, quantity(w.Measured, w.Unit), goal)
	}
	t.Log(b.String())
	docs := filepath.Join(project.dir, "docs")
	require.NoError(t, os.MkdirAll(docs, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(docs, "bench.md"), []byte(b.String()), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(docs, "bench.svg"), []byte(chart(figures)), 0o644))
}

func quantity(n float64, unit string) string {
	return strings.TrimSpace(fmt.Sprintf("%.0f %s", n, unit))
}

// chart draws a pair of bars for each figure, as long as their share of the slower one.
func chart(figures []figure) string {
	const row, left, width = 52, 230, 380
	svg := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 %d" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="Seconds with the targets and with scripts">
<style>text{fill:#57606a}.t{fill:#2563eb}.s{fill:#9ca3af}@media(prefers-color-scheme:dark){text{fill:#c9d1d9}}</style>
`, row*len(figures)+16)
	for n, f := range figures {
		y, most := n*row+12, max(f.Targets, f.Scripts)
		svg += fmt.Sprintf(`<text x="%d" y="%d" text-anchor="end">%s</text>
<rect class="t" x="%d" y="%d" width="%.0f" height="15" rx="3"/><text x="%.0f" y="%d">%.1f s</text>
<rect class="s" x="%d" y="%d" width="%.0f" height="15" rx="3"/><text x="%.0f" y="%d">%.1f s, scripts</text>
`, left-12, y+21, f.Name,
			left, y, f.Targets/most*width, left+8+f.Targets/most*width, y+12, f.Targets,
			left, y+19, f.Scripts/most*width, left+8+f.Scripts/most*width, y+31, f.Scripts)
	}
	return svg + "</svg>\n"
}
