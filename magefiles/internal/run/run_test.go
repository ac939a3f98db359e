package run

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestArgumentsAreNotInterpreted(t *testing.T) {
	out, err := Output(t.Context(), Exec{}, "printf", "%s", "$HOME `id` ; *")
	require.NoError(t, err)
	assert.Equal(t, "$HOME `id` ; *", out)
}

func TestFailureCarriesCodeAndLastLines(t *testing.T) {
	_, err := Exec{}.Run(t.Context(), Cmd{Name: "sh", Args: []string{"-c", "echo first; echo the reason >&2; exit 3"}})
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, 3, e.Code)
	assert.Contains(t, e.Error(), "the reason")
}

func TestMissingProgram(t *testing.T) {
	_, err := Exec{}.Run(t.Context(), Cmd{Name: "no-such-program-here"})
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, -1, e.Code)
}

func TestLinesArriveWhole(t *testing.T) {
	var lines []string
	_, err := Exec{}.Run(t.Context(), Cmd{
		Name: "sh", Args: []string{"-c", "printf 'a\\nb\\r\\nc'"},
		Line: func(s string) { lines = append(lines, s) },
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b", "c"}, lines)
}

func TestSecretsShowInNoLineAndNoError(t *testing.T) {
	const secret = "hunter2-hunter2"
	var lines []string
	exec := Exec{Hide: []string{secret, "ok"}}
	res, err := exec.Run(t.Context(), Cmd{
		Name: "sh", Args: []string{"-c", `cat; echo "$0 is wrong" >&2; exit 1`, secret}, Stdin: strings.NewReader("it is ok: " + secret + "\n"),
		Line: func(s string) { lines = append(lines, s) },
	})
	require.Error(t, err)
	var e *Error
	require.ErrorAs(t, err, &e)
	for _, shown := range []string{strings.Join(lines, " "), e.Error(), e.Cmd, e.Output, res.Stderr} {
		assert.NotContains(t, shown, secret)
		assert.Contains(t, shown, "[hidden]")
	}
	assert.Contains(t, lines, "it is ok: [hidden]", "a value of two letters is in every other word")
	assert.Equal(t, "it is ok: "+secret+"\n", res.Stdout, "a program reads what was written")
}

func TestAProcessThatIgnoresTheSignalIsKilledAfterItsGrace(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	started, begin := make(chan struct{}), time.Now()
	go func() {
		<-started
		cancel()
	}()
	_, err := Exec{}.Run(ctx, Cmd{
		Name: "sh", Args: []string{"-c", `trap "" TERM; echo started; while :; do sleep 0.05; done`},
		Line: func(string) { close(started) }, Grace: 300 * time.Millisecond,
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.GreaterOrEqual(t, time.Since(begin), 300*time.Millisecond, "it had its time")
	assert.Less(t, time.Since(begin), 5*time.Second)
}

func TestADeadlineEndsACommand(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := Output(ctx, Exec{}, "sleep", "60")
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestOnlyTheEndOfALongOutputIsKept(t *testing.T) {
	_, err := Exec{}.Run(t.Context(), Cmd{Name: "sh", Args: []string{"-c", "seq 100000; exit 1"}})
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.LessOrEqual(t, len(e.Output), 8<<10)
	assert.True(t, strings.HasSuffix(e.Output, "100000\n"))
}

func TestStdinAndStdoutStream(t *testing.T) {
	var out bytes.Buffer
	res, err := Exec{}.Run(t.Context(), Cmd{Name: "cat", Stdin: strings.NewReader("through"), Stdout: &out})
	require.NoError(t, err)
	assert.Equal(t, "through", out.String())
	assert.Empty(t, res.Stdout)
}

// The whole group has to go: a shell that is told to end leaves its children behind otherwise.
func TestCancelEndsTheProcessGroup(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	ctx, cancel := context.WithCancel(t.Context())
	started := make(chan struct{})
	go func() {
		<-started
		cancel()
	}()
	_, err := Exec{}.Run(ctx, Cmd{
		Name:  "sh",
		Args:  []string{"-c", `sleep 300 & echo $! > "$0"; echo started; wait`, pidFile},
		Line:  func(string) { close(started) },
		Grace: time.Second,
	})
	require.ErrorIs(t, err, context.Canceled)

	raw, err := os.ReadFile(pidFile)
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	require.NoError(t, err)
	assert.Eventually(t, func() bool {
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return true
		}
		stat, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		return strings.Contains(string(stat), ") Z ") // ended; nobody has collected it yet
	}, 5*time.Second, 20*time.Millisecond, "the child outlived its group")
}

func TestFakeFailsOnUnknownCommands(t *testing.T) {
	f := (&Fake{}).On("docker", "old", nil).On("docker version", "28", nil)
	out, err := Output(t.Context(), f, "docker", "version")
	require.NoError(t, err)
	assert.Equal(t, "28", out)
	_, err = f.Run(t.Context(), Cmd{Name: "kubectl"})
	require.Error(t, err)
	assert.Equal(t, []string{"docker version", "kubectl"}, f.Calls())
}

func TestFakeFailsAsItIsTold(t *testing.T) {
	f := (&Fake{}).On("docker exec", "", Failed(126, "OCI runtime exec failed: exec failed: permission denied\n"))
	_, err := f.Run(t.Context(), Cmd{Name: "docker", Args: []string{"exec", "node", "true"}})
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, 126, e.Code)
	assert.EqualError(t, err, "docker exec node true: exit status 126: OCI runtime exec failed: exec failed: permission denied")
}

func TestExecHandsDownNoSecretOfTheEnvironment(t *testing.T) {
	t.Setenv("RUN_TEST_INHERITED", "a-secret-value")
	t.Setenv("RUN_TEST_SHORT", "root") // as a database's password may be, and a user's name
	res, err := Exec{Hide: []string{"a-secret-value", "root"}}.Run(t.Context(), Cmd{
		Name: "sh", Args: []string{"-c", `echo "$RUN_TEST_INHERITED,$RUN_TEST_SHORT,$RUN_TEST_GIVEN,$PATH"`}, Env: []string{"RUN_TEST_GIVEN=a-secret-value"},
	})
	require.NoError(t, err)
	assert.Equal(t, ",root,a-secret-value,"+os.Getenv("PATH")+"\n", res.Stdout)
}
