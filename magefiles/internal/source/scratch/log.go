package scratch

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
)

// buildLog is the file that keeps the whole output of building something.
type buildLog struct {
	file *os.File
	w    *bufio.Writer // which keeps its first error until it is flushed
}

// log begins the log of something. It replaces that of the last time.
func (s store) log(name string) (*buildLog, error) {
	dir := filepath.Join(s.dir, "logs")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, cacheFault(err)
	}
	f, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return nil, cacheFault(err)
	}
	return &buildLog{f, bufio.NewWriter(f)}, nil
}

func (l *buildLog) line(text string) { _, _ = l.w.WriteString(text + "\n") }

// remedy is what a person does where the build fails.
func (l *buildLog) remedy() string {
	return "read " + l.file.Name() + "; a second run goes on where this one stopped"
}

// close ends the log of a build that ended with err, and gives the error of the whole: a log that could not be written
// is one too.
func (l *buildLog) close(err error) error {
	closed := errors.Join(l.w.Flush(), l.file.Close())
	if err != nil {
		return err
	}
	return cacheFault(closed)
}
