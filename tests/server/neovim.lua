-- What somebody does in Neovim, without a screen, who has $CONFIG in the configuration: open a file, read the
-- diagnostics, take fixes until nothing is left, save. What was seen on the way is written to $REPORT.

local seen = { diagnostics = {}, shown = {}, offered = {}, hover = {}, told = {} }

local function wait(what, condition)
  assert(vim.wait(60000, condition, 10), 'waited in vain for ' .. what)
end

if not vim.lsp.enable then -- before 0.11: what the two come to
  local configurations = {}
  vim.lsp.config = function(name, configuration) configurations[name] = configuration end
  vim.lsp.enable = function(name)
    local more = { name = name, root_dir = vim.fn.getcwd() }
    vim.lsp.buf_attach_client(0, vim.lsp.start_client(vim.tbl_extend('keep', configurations[name], more)))
  end
end

vim.notify = function(message) table.insert(seen.told, message) end

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
  dofile(vim.env.CONFIG)
  vim.bo.filetype = 'python' -- as when a file is opened, once the configuration is read
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
