//go:build e2e

package e2e

import (
	"context"
	"io"
	"net/http"
)

// page is an answer whose body was read.
type page struct {
	*http.Response
	text string
}

// get asks for a page.
func get(ctx context.Context, client *http.Client, url string) (page, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return page{}, err
	}
	return ask(client, req)
}

func ask(client *http.Client, req *http.Request) (page, error) {
	res, err := client.Do(req)
	if err != nil {
		return page{}, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	return page{res, string(text)}, err
}
