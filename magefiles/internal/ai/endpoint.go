package ai

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"todo.local/magefiles/internal/fault"
)

// What the endpoint is where nothing else is configured, as for the application's own chat.
const (
	DefaultURL   = "https://api.openai.com/v1"
	DefaultModel = "gpt-5-mini"
)

const (
	turnLimit   = 2 * time.Minute // for one answer of the model, all attempts together
	maxAnswer   = 1 << 20         // bytes of one answer
	maxAttempts = 4
	maxPause    = 20 * time.Second // between two attempts
)

// Endpoint is an OpenAI-compatible one that completes chats. It is spoken to with net/http: of OpenAI's own package
// only this one request would be used, for a minute and a half of CPU time at the first compilation of the targets and
// 27 MB more of program.
type Endpoint struct {
	URL   string // such as https://api.openai.com/v1
	Key   string
	Model string

	pause time.Duration // before the second attempt, then doubled; a second where zero
}

// message is one of a conversation, as the endpoint takes and gives it.
type message struct {
	Role       string     `json:"role"`
	Content    string     `json:"content"`
	Refusal    string     `json:"refusal,omitempty"`
	ToolCalls  []toolCall `json:"tool_calls,omitempty"`
	ToolCallID string     `json:"tool_call_id,omitempty"`
}

type toolCall struct {
	ID       string   `json:"id"`
	Type     string   `json:"type"`
	Function function `json:"function"`
}

type function struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"` // JSON, or what the model takes for it
}

// completion is the request for the next message.
type completion struct {
	Model      string           `json:"model"`
	Messages   []message        `json:"messages"`
	Tools      []map[string]any `json:"tools"`
	ToolChoice string           `json:"tool_choice"` // auto, or none to have an answer now
}

// complete gives the model's next message. It tries again where the endpoint is busy, broken or cut off.
func (e *Endpoint) complete(ctx context.Context, c completion) (message, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return message{}, err
	}
	within, cancel := context.WithTimeout(ctx, turnLimit)
	defer cancel()
	pause := e.pause
	if pause == 0 {
		pause = time.Second
	}
	for attempt := 1; ; attempt++ {
		reply, again, err := e.attempt(within, body)
		switch {
		case ctx.Err() != nil:
			return message{}, ctx.Err()
		case within.Err() != nil:
			return message{}, fault.New(fault.CodeEnvironment, fmt.Sprintf("%s gave no answer within %s", e.URL, turnLimit), "try again, or choose a faster OPENAI_MODEL")
		case err == nil || again < 0 || attempt == maxAttempts:
			return reply, err
		}
		select {
		case <-within.Done():
		case <-time.After(max(again, pause)):
		}
		pause *= 2
	}
}

const never time.Duration = -1

// attempt makes one request. Where it fails, again is how long to wait at least before the next one, or never.
func (e *Endpoint) attempt(ctx context.Context, body []byte) (reply message, again time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(e.URL, "/")+"/chat/completions", bytes.NewReader(body))
	if err != nil {
		return message{}, never, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+e.Key)
	// The key goes to the configured address and nowhere else.
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	unreachable := func(err error) error {
		return fault.Wrap(err, fault.CodeEnvironment, "the model's endpoint does not answer", "check OPENAI_BASE_URL and the network; without OPENAI_API_KEY the built-in interpreter answers")
	}
	res, err := client.Do(req)
	if err != nil {
		return message{}, 0, unreachable(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return message{}, 0, unreachable(err)
	}
	if res.StatusCode != http.StatusOK {
		again, err := e.refusal(res, raw)
		return message{}, again, err
	}
	reply, err = read(raw)
	return reply, never, err
}

// read takes the message out of an answer.
func read(raw []byte) (message, error) {
	var answer struct {
		Choices []struct {
			Message message `json:"message"`
			Reason  string  `json:"finish_reason"`
		} `json:"choices"`
	}
	err := json.Unmarshal(raw, &answer)
	if err == nil && len(answer.Choices) == 0 {
		err = errors.New("it has no choices")
	}
	if len(raw) > maxAnswer {
		err = errors.New("it is too long")
	}
	if err != nil {
		return message{}, fault.Wrap(err, fault.CodeEnvironment, "the model's endpoint gave an answer that is no chat completion",
			"check that OPENAI_BASE_URL is the part before /chat/completions")
	}
	reply := answer.Choices[0].Message
	reply.Role = "assistant"
	for i := range reply.ToolCalls {
		reply.ToolCalls[i].Type = "function" // some endpoints leave it out
	}
	if answer.Choices[0].Reason == "length" {
		reply.Content += " … (cut off at the model's limit)"
	}
	return reply, nil
}

// refusal turns an answer with an error status into a failure.
func (e *Endpoint) refusal(res *http.Response, raw []byte) (again time.Duration, err error) {
	var answer struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	_ = json.Unmarshal(raw, &answer) // other bodies tell nothing that the status does not
	said := res.Status
	if m := strings.Join(strings.Fields(Printable(KnownSecrets(e.Key).Hide(answer.Error.Message))), " "); m != "" {
		said = fmt.Sprintf("%s: %.300s", said, m)
	}
	switch {
	case res.StatusCode == http.StatusUnauthorized, res.StatusCode == http.StatusForbidden:
		return never, fault.New(fault.CodeInput, "the model's endpoint does not take the key ("+said+")", "check OPENAI_API_KEY and OPENAI_BASE_URL")
	case res.StatusCode == http.StatusTooManyRequests, res.StatusCode >= 500:
		if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && seconds > 0 {
			again = time.Duration(seconds) * time.Second
		}
		if again > maxPause {
			again = never
		}
		return again, fault.New(fault.CodeEnvironment, "the model's endpoint is busy or broken ("+said+")", "try again later; without OPENAI_API_KEY the built-in interpreter answers")
	}
	return never, fault.New(fault.CodeInput, "the model's endpoint does not take the request ("+said+")", "check OPENAI_MODEL, which has to know tools, and OPENAI_BASE_URL")
}
