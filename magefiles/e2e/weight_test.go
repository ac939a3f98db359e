//go:build bench

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	vegeta "github.com/tsenart/vegeta/v12/lib"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metrics "k8s.io/metrics/pkg/client/clientset/versioned"

	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/source/scratch"
)

const (
	loadRate  = 200 // requests a second, half of them lists, half of them new tasks
	loadTime  = 15 * time.Second
	loadUsers = 10
	mega      = 1e6
	mebi      = 1 << 20
)

// weight is one property of the running application, next to the most that it should be, or the least.
type weight struct {
	Name, Unit     string
	Measured, Goal float64
	Least          bool
}

// scores are what Lighthouse gives the pages, as medians of several rounds. The phone is one whose processor is four
// times as slow.
func scores(t *testing.T, project checkout) (ws []weight) {
	t.Helper()
	require.Zero(t, project.mage(t, nil, "test:lighthouse").code)
	raw, err := os.ReadFile(filepath.Join(project.dir, ".cache", "lighthouse", "lighthouse.json"))
	require.NoError(t, err)
	var all []struct {
		Page, Profile string
		Scores        map[string]float64
	}
	require.NoError(t, json.Unmarshal(raw, &all))
	for _, s := range all {
		for _, category := range []string{"performance", "accessibility", "best-practices"} {
			ws = append(ws, weight{Name: fmt.Sprintf("Lighthouse, %s, %s: %s", s.Page, s.Profile, category), Measured: s.Scores[category], Goal: 95, Least: true})
		}
	}
	return ws
}

// weights measures the application as deploy left it: sizes, memory, starts, and how it answers.
func weights(t *testing.T, d *deployment) []weight {
	src, _, err := source.Pick(t.Context(), nil, settings(t), docker(t), scratch.New(settings(t), docker(t)))
	require.NoError(t, err)
	bases, err := src.Bases(t.Context(), nil)
	require.NoError(t, err)
	ws := []weight{
		most("backend image over its base", (size(t, d.image(t, "todo-backend"))-size(t, bases.Python))/mega, 90, "MB"),
		most("frontend image over its base", (size(t, d.image(t, "todo-frontend"))-size(t, bases.Node))/mega, 70, "MB"),
		most("backend: start to ready", slowestStart(t, d, "todo-backend"), 4, "s"),
		most("frontend: start to ready", slowestStart(t, d, "todo-frontend"), 4, "s"),
		most("idle memory of a backend pod", memory(t, d, "todo-backend"), 110, "MiB"),
		most("idle memory of a frontend pod", memory(t, d, "todo-frontend"), 110, "MiB"),
		most("first byte of an answer of the offline assistant", firstByte(t, d), 300, "ms"),
	}
	m := load(t, d)
	return append(ws,
		most(fmt.Sprintf("lists and new tasks at %d requests/s: p50", loadRate), milliseconds(m.Latencies.P50), 60, "ms"),
		most(fmt.Sprintf("lists and new tasks at %d requests/s: p99", loadRate), milliseconds(m.Latencies.P99), 60, "ms"),
		most("requests that failed of "+strconv.FormatUint(m.Requests, 10), float64(m.Requests)-float64(m.StatusCodes["200"]+m.StatusCodes["201"]), 0, ""),
	)
}

func most(name string, measured, goal float64, unit string) weight {
	return weight{Name: name, Unit: unit, Measured: measured, Goal: goal}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func size(t *testing.T, ref string) float64 {
	t.Helper()
	out, err := docker(t).Output(t.Context(), "image", "inspect", "--format", "{{.Size}}", ref)
	require.NoError(t, err)
	bytes, err := strconv.ParseFloat(out, 64)
	require.NoError(t, err)
	return bytes
}

// slowestStart is how many seconds the slower of an app's containers took to be ready. The cluster keeps these times in
// whole seconds.
func slowestStart(t *testing.T, d *deployment, app string) float64 {
	t.Helper()
	var slowest float64
	pods := d.pods(t)
	for _, name := range d.names(t, app) {
		p := pods[name]
		require.NotNil(t, p.Status.ContainerStatuses[0].State.Running, name)
		for _, c := range p.Status.Conditions {
			if c.Type == corev1.ContainersReady {
				slowest = max(slowest, c.LastTransitionTime.Sub(p.Status.ContainerStatuses[0].State.Running.StartedAt.Time).Seconds())
			}
		}
	}
	return slowest
}

// memory is the working set of the larger of an app's pods.
func memory(t *testing.T, d *deployment, app string) float64 {
	t.Helper()
	cfg, err := d.access.RESTConfig()
	require.NoError(t, err)
	client, err := metrics.NewForConfig(cfg)
	require.NoError(t, err)
	names := d.names(t, app)
	var most float64
	require.Eventually(t, func() bool {
		list, err := client.MetricsV1beta1().PodMetricses(d.cfg.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "app=" + app})
		if err != nil || len(list.Items) < len(names) {
			return false
		}
		for _, p := range list.Items {
			for _, c := range p.Containers {
				most = max(most, float64(c.Usage.Memory().Value())/mebi)
			}
		}
		return true
	}, 2*time.Minute, 5*time.Second, "metrics-server measures every pod")
	return most
}

// firstByte is the time in milliseconds until the answer to a chat message begins.
func firstByte(t *testing.T, d *deployment) float64 {
	t.Helper()
	u := d.register(t, "first-byte@example.com")
	start := time.Now()
	res := u.ask(t, "add buy milk tomorrow")
	defer func() { _ = res.Body.Close() }()
	_, err := bufio.NewReader(res.Body).ReadByte()
	require.NoError(t, err)
	return milliseconds(time.Since(start))
}

// load sends lists and new tasks of several users at a constant rate, whether or not the answers keep up.
func load(t *testing.T, d *deployment) *vegeta.Metrics {
	t.Helper()
	var targets []vegeta.Target
	for n := range loadUsers {
		u := d.register(t, fmt.Sprintf("load-%d@example.com", n))
		body, err := json.Marshal(map[string]any{"title": "a task among many", "priority": "high", "tags": []string{"load"}})
		require.NoError(t, err)
		targets = append(targets,
			vegeta.Target{Method: http.MethodGet, URL: "http://todo.localhost/api/tasks", Header: u.header()},
			vegeta.Target{Method: http.MethodPost, URL: "http://todo.localhost/api/tasks", Header: u.header(), Body: body})
	}
	client := d.browser()
	client.Transport.(*http.Transport).MaxIdleConnsPerHost = 100 // as many connections as the load needs, kept
	attacker := vegeta.NewAttacker(vegeta.Client(client))
	var m vegeta.Metrics
	for r := range attacker.Attack(vegeta.NewStaticTargeter(targets...), vegeta.Rate{Freq: loadRate, Per: time.Second}, loadTime, "load") {
		m.Add(r)
	}
	m.Close()
	t.Logf("load: %d requests, rate %.0f/s, p50 %s, p95 %s, p99 %s, most %s, status %v", m.Requests, m.Rate, m.Latencies.P50, m.Latencies.P95, m.Latencies.P99, m.Latencies.Max, m.StatusCodes)
	assert.Empty(t, m.Errors)
	return &m
}
