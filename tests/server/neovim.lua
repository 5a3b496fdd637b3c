-- What somebody does in Neovim, without a screen: open a file, read the diagnostics, take fixes until nothing is left,
-- save. Written to $REPORT on the way is what was seen.

local seen = { diagnostics = {}, shown = {}, offered = {}, hover = {} }

local function wait(what, condition)
  assert(vim.wait(60000, condition, 10), 'waited in vain for ' .. what)
end

local function attach()
  local config = { name = 'kl_lint', cmd = { vim.env.KL_LINT, 'server' }, root_dir = vim.fn.getcwd() }
  if vim.lsp.start then
    vim.lsp.start(config)
  else -- before 0.8
    vim.lsp.buf_attach_client(0, vim.lsp.start_client(config))
  end
end

-- the text behind the lines, as it is drawn
local function drawn()
  local texts = {}
  for _, namespace in pairs(vim.diagnostic.get_namespaces()) do
    local behind = namespace.user_data.virt_text_ns
    for _, mark in ipairs(behind and vim.api.nvim_buf_get_extmarks(0, behind, 0, -1, { details = true }) or {}) do
      for _, chunk in ipairs(mark[4].virt_text or {}) do
        table.insert(texts, chunk[1])
      end
    end
  end
  return texts
end

-- the text in the window that floats, if one does
local function floating()
  for _, window in ipairs(vim.api.nvim_list_wins()) do
    if vim.api.nvim_win_get_config(window).relative ~= '' then
      return vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, false)
    end
  end
end

-- of what is offered, take the fix that stands first
vim.ui.select = function(items, options, choose)
  local titles = vim.tbl_map(options.format_item, items)
  table.insert(seen.offered, titles)
  choose(items[1], 1)
end

local function main()
  vim.diagnostic.config({ virtual_text = true })
  attach()
  wait('diagnostics', function() return #vim.diagnostic.get(0) > 0 end)
  seen.diagnostics = vim.diagnostic.get(0)
  seen.shown = drawn()
  vim.fn.search('kl_div(')
  vim.lsp.buf.hover()
  wait('a hover', floating)
  seen.hover = floating()
  while #vim.diagnostic.get(0) > 0 do
    local first = vim.diagnostic.get(0)[1]
    local changes = vim.b.changedtick
    vim.api.nvim_win_set_cursor(0, { first.lnum + 1, first.col })
    vim.lsp.buf.code_action()
    wait('a fix', function() return vim.b.changedtick > changes end)
    wait('other diagnostics', function()
      local now = vim.diagnostic.get(0)[1]
      return not now or now.code ~= first.code or now.lnum ~= first.lnum
    end)
  end
  vim.cmd('write')
end

local fine, trouble = xpcall(main, debug.traceback)
seen.trouble = not fine and trouble or nil
vim.fn.writefile({ vim.fn.json_encode(seen) }, vim.env.REPORT)
vim.cmd('qall!')
